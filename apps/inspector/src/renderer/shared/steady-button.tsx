// A button that has nothing to do now and keeps the keyboard: a browser takes it away from one that is disabled.
import type { ComponentProps } from 'react';

interface Props extends Omit<ComponentProps<'button'>, 'disabled'> {
  readonly isOff: boolean;
}

export function SteadyButton({ isOff, onClick, type = 'button', ...more }: Props) {
  return (
    <button
      {...more}
      type={type}
      aria-disabled={isOff || undefined}
      // Of a form, the Enter key in its fields presses it too.
      onClick={(event) => (isOff ? event.preventDefault() : onClick?.(event))}
    />
  );
}
