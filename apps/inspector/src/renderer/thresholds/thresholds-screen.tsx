// Two handles on the histogram of recent scores, what they would have changed, and the change itself with its reason.
import { type FaultView, mayAct, type ThresholdsPreview, type ThresholdsView } from '@kerf/bridge';
import { useEffect, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatThreshold, formatTime, shortHash, THRESHOLD_DIGITS } from '../shared/format.ts';
import { SteadyButton } from '../shared/steady-button.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { TableHead } from '../shared/table-head.tsx';
import { Unanswered, Untold, WhyUntold } from '../shared/untold.tsx';
import { faultOf } from '../shared/use-action.ts';
import { useCall } from '../shared/use-call.ts';
import { usePartsSeen } from '../shared/use-parts-seen.ts';
import { Wide } from '../shared/wide.tsx';
import { LabelledRates } from './labelled-rates.tsx';
import { ScoreHistogram } from './score-histogram.tsx';

interface Draft {
  readonly passBelow: number;
  readonly ngAbove: number;
  /** The version that the draft began from. */
  readonly from: string;
}

export function ThresholdsScreen() {
  const { t } = useTexts();
  const current = useStore(useInspector().thresholds);
  const [draft, setDraft] = useState<Draft | null>(null);
  const seen = usePartsSeen();
  if (current === null) return <Untold part="thresholds" className="thresholds" />;
  const { passBelow, ngAbove, version } = current;
  const shown = draft ?? { passBelow, ngAbove, from: version };
  const change = (part: Partial<Draft>): void => setDraft({ ...shown, ...part });
  return (
    <section className="thresholds" aria-label={t('thresholds.title')}>
      <h2>{t('thresholds.title')}</h2>
      <p className="help">{t('thresholds.help')}</p>
      <WhyUntold part="thresholds" />
      <div className="thresholds-main">
        <Histogram draft={shown} seen={seen} onChange={change} />
        <div>
          <div className="fields">
            <NumberField
              label={t('thresholds.passBelow')}
              value={shown.passBelow}
              onChange={(passBelow) => change({ passBelow })}
            />
            <NumberField
              label={t('thresholds.ngAbove')}
              value={shown.ngAbove}
              onChange={(ngAbove) => change({ ngAbove })}
            />
          </div>
          {shown.passBelow > shown.ngAbove ? (
            <p className="fault" role="alert">
              {t('thresholds.order')}
            </p>
          ) : (
            <Preview draft={shown} seen={seen} />
          )}
          <SaveForm current={current} draft={draft} onDone={() => setDraft(null)} />
        </div>
      </div>
      <History key={current.version} />
    </section>
  );
}

interface HistogramProps {
  readonly draft: Draft;
  /** Changes with the parts that the line judges. */
  readonly seen: number;
  readonly onChange: (part: Partial<Draft>) => void;
}

function Histogram({ draft, seen, onChange }: HistogramProps) {
  const { t } = useTexts();
  const { value: scores, fault, again } = useCall('thresholds.scores', {}, seen);
  if (fault !== null) return <Unanswered fault={fault} onAgain={again} />;
  if (scores === null || scores.length === 0) return <p className="empty">{t('thresholds.noScores')}</p>;
  const recent = scores.filter(({ isRecent }) => isRecent).map(({ score }) => score);
  const labelled = scores.flatMap(({ score, isDefective }) => (isDefective === null ? [] : [{ score, isDefective }]));
  return (
    <figure>
      <figcaption>
        {t('thresholds.histogram', { count: recent.length })}
        {labelled.length > 0 && ` · ${t('thresholds.marks')}`}
      </figcaption>
      <ScoreHistogram scores={recent} labelled={labelled} thresholds={draft} onChange={onChange} />
    </figure>
  );
}

interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
}

function NumberField({ label, value, onChange }: NumberFieldProps) {
  return (
    <label>
      {label}
      <input
        type="number"
        step="0.01"
        value={Number(value.toFixed(THRESHOLD_DIGITS))}
        onChange={({ target }) => Number.isFinite(target.valueAsNumber) && onChange(target.valueAsNumber)}
      />
    </label>
  );
}

/** Waits until the handles rest. */
function Preview({ draft, seen }: Pick<HistogramProps, 'draft' | 'seen'>) {
  const { t } = useTexts();
  const { bridge } = useInspector();
  const [preview, setPreview] = useState<ThresholdsPreview | null>(null);
  const { passBelow, ngAbove } = draft;
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => {
      bridge.call('thresholds.preview', { passBelow, ngAbove }).then(
        (value) => isCurrent && setPreview(value),
        () => isCurrent && setPreview(null),
      );
    }, 120);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [bridge, passBelow, ngAbove, seen]);
  if (preview === null || (preview.of === 0 && preview.labelled === null)) return null;
  return (
    <div className="preview" role="status">
      {preview.of > 0 && <p>{t('thresholds.preview', { changed: preview.changed, of: preview.of })}</p>}
      <ul>
        {preview.transitions.map(({ from, to, count }) => (
          <li key={`${from}-${to}`}>
            {t('thresholds.transition', { count, from: t(`verdict.${from}`), to: t(`verdict.${to}`) })}
          </li>
        ))}
      </ul>
      {preview.labelled !== null && <LabelledRates {...preview.labelled} />}
    </div>
  );
}

interface SaveFormProps {
  readonly current: ThresholdsView;
  readonly draft: Draft | null;
  readonly onDone: () => void;
}

function SaveForm({ current, draft, onDone }: SaveFormProps) {
  const { t } = useTexts();
  const { bridge, link, thresholds } = useInspector();
  const state = useStore(link);
  const [note, setNote] = useState('');
  const [said, setSaid] = useState<{ readonly text: string; readonly isFault: boolean } | null>(null);
  const [fault, setFault] = useState<FaultView | null>(null);
  const role = state.kind === 'connected' ? state.hello.role : 'viewer';
  if (!current.isEditable) return <p className="note">{t('thresholds.fixed')}</p>;
  if (!mayAct(role, 'engineer')) return <p className="note">{t('thresholds.role', { role: t(`role.${role}`) })}</p>;
  const save = (): void => {
    if (draft === null) return;
    if (note.trim() === '') return setSaid({ text: t('thresholds.noteNeeded'), isFault: true });
    setSaid(null);
    setFault(null);
    bridge.call('thresholds.save', { ...draft, note: note.trim() }).then(
      (view) => {
        thresholds.set(view);
        setNote('');
        setSaid({ text: t('thresholds.saved', { version: shortHash(view.version) }), isFault: false });
        onDone();
      },
      (error: unknown) => {
        const failed = faultOf(error);
        if (failed.code === 'CONFLICT') setSaid({ text: t('thresholds.conflict'), isFault: true });
        else setFault(failed);
      },
    );
  };
  return (
    <form
      className="save"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <label>
        {t('thresholds.note')}
        <input type="text" maxLength={400} value={note} onChange={({ target }) => setNote(target.value)} />
      </label>
      <SteadyButton type="submit" className="primary" isOff={draft === null || draft.passBelow > draft.ngAbove}>
        {t('thresholds.save')}
      </SteadyButton>
      <SteadyButton isOff={draft === null} onClick={onDone}>
        {t('thresholds.reset')}
      </SteadyButton>
      {said !== null && (
        <p className={said.isFault ? 'fault' : 'note'} role={said.isFault ? 'alert' : 'status'}>
          {said.text}
        </p>
      )}
      <FaultText fault={fault} />
    </form>
  );
}

function History() {
  const { t, language } = useTexts();
  const { value: changes, fault, again } = useCall('thresholds.history', {});
  return (
    <>
      <h3>{t('thresholds.history')}</h3>
      <Unanswered fault={fault} onAgain={again} />
      {changes === null ? null : changes.length === 0 ? (
        <p>{t('thresholds.noHistory')}</p>
      ) : (
        <Wide label={t('thresholds.history')}>
          <table className="history words">
            <TableHead
              columns={[
                t('thresholds.at'),
                t('thresholds.by'),
                t('thresholds.note'),
                t('thresholds.passBelow'),
                t('thresholds.ngAbove'),
              ]}
              numbersFrom={3}
            />
            <tbody>
              {changes.map(({ version, at, by, passBelow, ngAbove, note }) => (
                <tr key={`${version}-${at}`}>
                  <td>{formatTime(at, language)}</td>
                  <td>{by}</td>
                  <td className="reason">{note}</td>
                  <td className="row-number">{formatThreshold(passBelow, language)}</td>
                  <td className="row-number">{formatThreshold(ngAbove, language)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      )}
    </>
  );
}
