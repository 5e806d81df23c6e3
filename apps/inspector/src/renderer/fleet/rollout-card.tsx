// One rollout: where it is, its stages with their thresholds and counts, what stops it, and what may be done.
import type { RolloutAction, RolloutStageView, RolloutView } from '@kerf/bridge';
import { Fragment } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { ActionForm } from '../shared/action-form.tsx';
import { CauseText } from '../shared/cause-text.tsx';
import { formatMoment, formatNumber, formatShare, formatSpan, joined } from '../shared/format.ts';
import { useInspector } from '../shared/store.ts';
import { TableHead } from '../shared/table-head.tsx';
import { useRole } from '../shared/use-role.ts';
import { Wide } from '../shared/wide.tsx';

interface Props {
  readonly rollout: RolloutView;
  readonly onChanged: () => void;
}

export function RolloutCard({ rollout, onChanged }: Props) {
  const { t, language } = useTexts();
  const { may } = useRole();
  const { id, release, status, reason, cause, createdBy, createdAt, approvedBy } = rollout;
  return (
    <section className="panel rollout" aria-label={release} data-rollout={id} data-status={status}>
      <div className="release-head">
        <h4>{release}</h4>
        <span className="mark-text">{t(`fleet.status.${status}`)}</span>
      </div>
      <p className="note">
        {t('fleet.by', { by: createdBy, time: formatMoment(createdAt, language) })}
        {approvedBy === null ? '' : ` · ${t('fleet.approvedBy', { by: approvedBy })}`}
      </p>
      {reason !== null && <CauseText cause={cause} reason={reason} lead={t('fleet.why')} />}
      <Stages rollout={rollout} />
      <Limits rollout={rollout} />
      {may('engineer') && <Actions rollout={rollout} onChanged={onChanged} />}
    </section>
  );
}

function Stages({ rollout: { stages, stage: open } }: { readonly rollout: RolloutView }) {
  const { t, language } = useTexts();
  const number = (value: number) => formatNumber(value, language);
  return (
    <Wide label={t('fleet.stage')}>
      <table className="words">
        <TableHead
          numbersFrom={2}
          columns={[
            t('fleet.stage'),
            t('fleet.members'),
            t('fleet.count'),
            t('fleet.offered'),
            t('fleet.succeeded'),
            t('fleet.failed'),
          ]}
        />
        <tbody>
          {stages.map((stage, at) => (
            <Fragment key={`${at} ${stage.members}`}>
              <tr data-open={at <= open}>
                <th scope="row">{`${at + 1}${at <= open ? ` · ${t('fleet.open')}` : ''}`}</th>
                <td>{stage.members === 'rest' ? t('fleet.rest') : stage.members}</td>
                <td className="row-number">{number(stage.devices)}</td>
                <td className="row-number">{number(stage.offered)}</td>
                <td className="row-number">{number(stage.succeeded)}</td>
                <td className="row-number">{number(stage.failed)}</td>
              </tr>
              {at + 1 < stages.length && <Opens stage={stage} />}
            </Fragment>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

/** Between two stages: what the first must reach before the next one opens. */
function Opens({ stage: { successShare, soakMs, pauseAfter } }: { readonly stage: RolloutStageView }) {
  const { t, language } = useTexts();
  const share = formatShare(successShare, language);
  const when =
    soakMs === 0 ? t('fleet.after', { share }) : t('fleet.afterSoak', { share, span: formatSpan(soakMs, language) });
  const conditions = joined(pauseAfter ? [when, t('fleet.pauses')] : [when], language);
  return (
    <tr className="between">
      <td colSpan={6}>{t('fleet.opensNext', { when: conditions })}</td>
    </tr>
  );
}

function Limits({ rollout: { errors, onStop, maxInFlight } }: { readonly rollout: RolloutView }) {
  const { t, language } = useTexts();
  const limits = [
    ...(errors.count === null ? [] : [t('fleet.stopsCount', { count: errors.count })]),
    ...(errors.share === null
      ? []
      : [t('fleet.stopsShare', { share: formatShare(errors.share, language), minimum: errors.minimumEnded })]),
  ];
  const stops = limits.length === 0 ? [t('fleet.stopsNever')] : limits;
  const limitsText = joined(onStop === 'roll-back' ? [...stops, t('fleet.thenBack')] : stops, language);
  return (
    <p className="note">
      {`${t('fleet.stops', { limits: limitsText })} · `}
      {t('fleet.inFlight', { count: maxInFlight })}
    </p>
  );
}

function Actions({ rollout: { id, actions }, onChanged }: Props) {
  const { t } = useTexts();
  const { bridge } = useInspector();
  if (actions.length === 0) return null;
  const steer = async (action: RolloutAction, reason: string): Promise<void> => {
    await bridge.call('fleet.steer', { rollout: id, action, reason });
    onChanged();
  };
  return (
    <div className="toolbar">
      {actions.map((action) => (
        <ActionForm
          key={action}
          label={t(`fleet.action.${action}`)}
          help={t(`fleet.help.${action}`)}
          isPrimary={action === 'approve'}
          onDo={(reason) => steer(action, reason)}
        />
      ))}
    </div>
  );
}
