// Something that is measured when somebody asks: a button, what it says meanwhile, and what was found.
import { type ReactNode, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useInspector } from '../shared/store.ts';
import { useAction } from '../shared/use-action.ts';
import { useRole } from '../shared/use-role.ts';
import { Waiting } from '../shared/waiting.tsx';

interface Props<T> {
  readonly title: string;
  readonly button: string;
  readonly busy: string;
  /** How long it takes, where that is known. */
  readonly budgetMs?: number;
  /** Before the first measurement. */
  readonly idle: ReactNode;
  readonly ask: () => Promise<T>;
  readonly show: (found: T) => ReactNode;
}

export function ProbePanel<T>({ title, button, busy, budgetMs, idle, ask, show }: Props<T>) {
  const { t } = useTexts();
  const { bridge } = useInspector();
  const { may } = useRole();
  const { isBusy, fault, run } = useAction();
  const [found, setFound] = useState<{ readonly value: T } | null>(null);
  return (
    <section className="panel" aria-label={title}>
      <h2>{title}</h2>
      {found === null ? idle : show(found.value)}
      {isBusy && (
        <Waiting
          text={busy}
          {...(budgetMs !== undefined && { budgetMs })}
          onStop={() => void bridge.call('health.cancel', {}).catch(() => {})}
        />
      )}
      {fault?.code === 'CANCELLED' ? (
        <p className="note" role="status">
          {t('waiting.stopped')}
        </p>
      ) : (
        <FaultText fault={fault} />
      )}
      {may('operator') && (
        <SteadyButton isOff={isBusy} onClick={() => void run(async () => setFound({ value: await ask() }))}>
          {button}
        </SteadyButton>
      )}
    </section>
  );
}
