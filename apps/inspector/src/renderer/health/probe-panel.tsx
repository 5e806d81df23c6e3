// Something that is measured when somebody asks: a button, what it says meanwhile, and what was found.
import { type ReactNode, useState } from 'react';
import { FaultText } from '../shared/fault-text.tsx';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useAction } from '../shared/use-action.ts';
import { useRole } from '../shared/use-role.ts';

interface Props<T> {
  readonly title: string;
  readonly button: string;
  readonly busy: string;
  /** Before the first measurement. */
  readonly idle: ReactNode;
  readonly ask: () => Promise<T>;
  readonly show: (found: T) => ReactNode;
}

export function ProbePanel<T>({ title, button, busy, idle, ask, show }: Props<T>) {
  const { may } = useRole();
  const { isBusy, fault, run } = useAction();
  const [found, setFound] = useState<{ readonly value: T } | null>(null);
  return (
    <section className="panel" aria-label={title}>
      <h2>{title}</h2>
      {found === null ? idle : show(found.value)}
      {isBusy && <p role="status">{busy}</p>}
      <FaultText fault={fault} />
      {may('operator') && (
        <SteadyButton isOff={isBusy} onClick={() => void run(async () => setFound({ value: await ask() }))}>
          {button}
        </SteadyButton>
      )}
    </section>
  );
}
