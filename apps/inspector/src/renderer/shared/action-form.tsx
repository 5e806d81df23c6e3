// A button for what matters -> asks why, says what will happen, and does it only then.
import { useEffect, useId, useRef, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from './fault-text.tsx';
import { SteadyButton } from './steady-button.tsx';
import { useAction } from './use-action.ts';

interface Props {
  readonly label: string;
  /** What will happen. */
  readonly help: string;
  readonly isPrimary?: boolean;
  readonly isDisabled?: boolean;
  readonly onDo: (note: string) => Promise<unknown>;
}

export function ActionForm({ label, help, isPrimary = false, isDisabled = false, onDo }: Props) {
  const { t } = useTexts();
  const [isOpen, setOpen] = useState(false);
  const [note, setNote] = useState('');
  const { isBusy, fault, run } = useAction();
  const first = useRef<HTMLInputElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const helpId = useId();
  useEffect(() => {
    if (isOpen) first.current?.focus();
  }, [isOpen]);
  const close = (): void => {
    setOpen(false);
    setNote('');
    // Where the keyboard was.
    requestAnimationFrame(() => opener.current?.focus());
  };
  if (!isOpen) {
    return (
      <button
        type="button"
        ref={opener}
        className={isPrimary ? 'primary' : ''}
        disabled={isDisabled}
        onClick={() => setOpen(true)}
      >
        {label}
      </button>
    );
  }
  return (
    <form
      className="action-form"
      aria-label={label}
      aria-describedby={helpId}
      onKeyDown={({ key }) => key === 'Escape' && close()}
      onSubmit={(event) => {
        event.preventDefault();
        void run(() => onDo(note.trim())).then((isDone) => isDone && close());
      }}
    >
      <p id={helpId}>{help}</p>
      <label>
        {t('updates.note')}
        <input ref={first} type="text" maxLength={380} value={note} onChange={({ target }) => setNote(target.value)} />
      </label>
      <div className="toolbar">
        <SteadyButton type="submit" className="primary" isOff={isBusy}>
          {`${label} – ${t('updates.do')}`}
        </SteadyButton>
        <button type="button" onClick={close}>
          {t('updates.keep')}
        </button>
      </div>
      <FaultText fault={fault} />
    </form>
  );
}
