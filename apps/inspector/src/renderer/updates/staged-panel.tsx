// A release that is fetched and checked: what its golden samples gave, known parts, and the switch.
import type { StagedView, UpdatesView } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { ActionForm } from '../shared/action-form.tsx';
import { CauseText } from '../shared/cause-text.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatShare } from '../shared/format.ts';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useInspector } from '../shared/store.ts';
import { useAction } from '../shared/use-action.ts';
import { useRole } from '../shared/use-role.ts';
import { CanaryResult } from './canary-result.tsx';

interface Props {
  readonly view: UpdatesView;
  readonly staged: StagedView;
}

export function StagedPanel({ view, staged: { version, rejected, rejectedCause } }: Props) {
  const { t, language } = useTexts();
  const { bridge } = useInspector();
  const { may } = useRole();
  const { golden, canary, job, settings, isWindowOpen, waiting } = view;
  const window = settings.window ?? '';
  const help = isWindowOpen ? t('updates.applyHelp') : t('updates.applyWaits', { window });
  const heading = t(rejected === null ? 'updates.staged' : 'updates.left', { version });
  return (
    <section className="panel staged" aria-label={heading}>
      <h3>{heading}</h3>
      {rejected !== null && (
        <>
          <CauseText
            cause={rejectedCause}
            reason={rejected}
            lead={t('updates.leftBecause')}
            otherLead={t('updates.leftWhy')}
          />
          <p>{t('updates.leftAgain')}</p>
        </>
      )}
      {golden !== null && (
        <p>
          {t('updates.goldenGood', {
            samples: golden.samples,
            backend: golden.backend,
            share: formatShare(golden.worst, language),
          })}
        </p>
      )}
      {golden === null && rejected === null && <p>{t('updates.goldenUnknown')}</p>}
      {waiting !== null && <p className="fault">{t('updates.waiting', { version: waiting.version, window })}</p>}
      {waiting !== null && may('engineer') && (
        <SteadyButton isOff={job !== null} onClick={() => void bridge.call('updates.cancel', {}).catch(() => {})}>
          {t('updates.callOff')}
        </SteadyButton>
      )}
      {canary !== null && <CanaryResult canary={canary} />}
      {may('engineer') && (
        <div className="toolbar">
          <CanaryButton view={view} />
          <ActionForm
            key={version}
            label={t(rejected === null ? 'updates.apply' : 'updates.applyAgain', { version })}
            help={help}
            isPrimary={rejected === null}
            isDisabled={job !== null}
            onDo={(note) => bridge.call('updates.apply', { version, note })}
          />
        </div>
      )}
    </section>
  );
}

function CanaryButton({ view }: { readonly view: UpdatesView }) {
  const { t } = useTexts();
  const { bridge } = useInspector();
  const { isBusy, fault, run } = useAction();
  if (!view.hasKnownParts) return <p className="note">{t('updates.canaryNone')}</p>;
  return (
    <>
      <SteadyButton
        type="button"
        title={t('updates.canaryHelp')}
        isOff={isBusy || view.job !== null}
        onClick={() => void run(() => bridge.call('updates.canary', {}))}
      >
        {t('updates.canary')}
      </SteadyButton>
      <FaultText fault={fault} />
    </>
  );
}
