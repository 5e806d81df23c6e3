// The chosen part with its picture, and a button with a number key for each label.
import { mayAct, type SamplesView, type SampleView } from '@kerf/bridge';
import { useRef } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { PartPicture } from '../pictures/part-picture.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatScore, formatTime, joined } from '../shared/format.ts';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { useCall } from '../shared/use-call.ts';
import { useInSight } from '../shared/use-in-sight.ts';
import { VerdictLabel } from '../shared/verdict-mark.tsx';

interface Props {
  readonly sample: SampleView;
  readonly view: SamplesView;
  readonly showOverlay: boolean;
  /** By somebody, not because it is the first. */
  readonly isChosen: boolean;
  readonly onLabel: (label: string | null) => void;
  readonly onUndo: () => void;
}

export function LabelPad({ sample, view, showOverlay, isChosen, onLabel, onUndo }: Props) {
  const { t, language } = useTexts();
  const state = useStore(useInspector().link);
  const role = state.kind === 'connected' ? state.hello.role : 'viewer';
  const isAllowed = mayAct(role, 'engineer');
  const { record, label } = sample;
  const section = useRef<HTMLElement>(null);
  useInSight(section, isChosen ? sample.id : null);
  const part = record.partId ?? t('line.noPartId');
  return (
    <section ref={section} className="why sample-pad" aria-label={t('samples.chosen')}>
      <h2>
        <VerdictLabel verdict={record.verdict} /> <span className="why-part">{part}</span>
      </h2>
      <Picture key={sample.id} sample={sample} showOverlay={showOverlay} />
      <p className="sample-facts">
        {record.score !== null && (
          <>
            {t('line.score')} {formatScore(record.score, language)} ·{' '}
          </>
        )}
        {formatTime(record.takenTime, language)} ·{' '}
        {joined(
          sample.reasons.map((reason) => t(`samples.reason.${reason}`)),
          language,
        )}
      </p>
      <div className="label-buttons" role="group" aria-label={t('samples.labels')}>
        {view.labels.map(({ name, isGood }, at) => (
          <button
            key={name}
            type="button"
            data-good={isGood}
            aria-pressed={label?.name === name}
            disabled={!isAllowed}
            onClick={() => onLabel(name)}
          >
            {at < 9 && <kbd>{at + 1}</kbd>} {name}
          </button>
        ))}
        <SteadyButton isOff={!isAllowed || label === null} onClick={() => onLabel(null)}>
          <kbd>0</kbd> {t('samples.noLabel')}
        </SteadyButton>
        <SteadyButton isOff={!isAllowed || !view.canUndo} onClick={onUndo}>
          <kbd>U</kbd> {t('samples.undo')}
        </SteadyButton>
      </div>
      {label !== null && (
        <p className="note">
          {t('samples.labelledBy', { label: label.name, by: label.by, at: formatTime(label.at, language) })}
        </p>
      )}
      <p className="note">{isAllowed ? t('samples.keys') : t('samples.role', { role: t(`role.${role}`) })}</p>
    </section>
  );
}

function Picture({ sample: { id, record }, showOverlay }: Pick<Props, 'sample' | 'showOverlay'>) {
  const { t } = useTexts();
  const { value: picture, fault } = useCall('samples.picture', { id, full: false });
  const label = t('line.picture', { part: record.partId ?? t('line.noPartId') });
  if (picture !== null)
    return <PartPicture record={record} picture={picture} showOverlay={showOverlay} label={label} />;
  return fault === null ? <p className="note">{t('samples.loading')}</p> : <FaultText fault={fault} />;
}
