// Recorded sessions: record, judge again, and look at two of them side by side, changed verdicts first.
import type { Comparison, SessionsView } from '@kerf/bridge';
import { useEffect, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatBytes, formatTime } from '../shared/format.ts';
import { Loading } from '../shared/loading.tsx';
import { useInspector } from '../shared/store.ts';
import { Unanswered } from '../shared/untold.tsx';
import { type Asked, useCall } from '../shared/use-call.ts';
import { PairList } from './pair-list.tsx';
import { RecordingPanel } from './recording-panel.tsx';
import { SideBySide } from './side-by-side.tsx';
import { useComparison } from './use-comparison.ts';

export function SessionsScreen({ showOverlay }: { readonly showOverlay: boolean }) {
  const { t } = useTexts();
  const { view, fault, again, setView } = useSessionsView();
  const [chosen, setChosen] = useState<{ readonly left: string | null; readonly right: string | null }>({
    left: null,
    right: null,
  });
  const names = (view?.sessions ?? []).map(({ name }) => name);
  const replayed = view?.replay.state === 'done' ? view.replay : null;
  // What was judged again lies beside what it was before, until somebody chooses otherwise.
  const left =
    [chosen.left, replayed?.session, names[1], names[0]].find((name) => name != null && names.includes(name)) ?? null;
  const right = [chosen.right, replayed?.out, names[0]].find((name) => name != null && names.includes(name)) ?? null;
  useEffect(() => {
    if (replayed !== null) setChosen({ left: replayed.session, right: replayed.out });
  }, [replayed?.out]);
  const compared = useComparison(left, right, `${view?.replay.state} ${view?.recording === null}`);
  const [index, setIndex] = useState(0);
  useEffect(() => setIndex(0), [left, right]);
  if (view === null) {
    if (fault === null) return <Loading />;
    return <Unanswered fault={fault} onAgain={again} />;
  }
  const pair = compared.value?.pairs[index];
  return (
    <div className="sessions">
      <section className="panel side fills" aria-label={t('sessions.title')}>
        <h2>{t('sessions.title')}</h2>
        <RecordingPanel view={view} session={left} onView={setView} />
        {names.length === 0 ? (
          <p className="empty">{t('sessions.empty')}</p>
        ) : (
          <>
            <SessionSelect
              label={t('sessions.left')}
              view={view}
              value={left}
              onChange={(name) => setChosen({ left: name, right })}
            />
            <SessionSelect
              label={t('sessions.right')}
              view={view}
              value={right}
              onChange={(name) => setChosen({ left, right: name })}
            />
            <FaultText fault={compared.fault} />
            {compared.value !== null && <Figures {...compared.value} />}
            {compared.value !== null && compared.value.pairs.length > 0 && (
              <PairList pairs={compared.value.pairs} chosen={index} onChoose={setIndex} onEnd={compared.more} />
            )}
          </>
        )}
      </section>
      {pair === undefined || left === null || right === null ? (
        <section className="why" aria-label={t('sessions.sideBySide')}>
          <p className="empty">{t('sessions.none')}</p>
        </section>
      ) : (
        <SideBySide pair={pair} sessions={[left, right]} showOverlay={showOverlay} />
      )}
    </div>
  );
}

/** Asked for once, then told at each change. */
function useSessionsView(): Pick<Asked<never>, 'fault' | 'again'> & {
  view: SessionsView | null;
  setView: (view: SessionsView) => void;
} {
  const { bridge } = useInspector();
  const { value, fault, again } = useCall('sessions.view', {});
  const [view, setView] = useState<SessionsView | null>(null);
  useEffect(() => bridge.subscribe('sessions', setView), [bridge]);
  useEffect(() => {
    if (value !== null) setView(value);
  }, [value]);
  return { view, fault, again, setView };
}

interface SelectProps {
  readonly label: string;
  readonly view: SessionsView;
  readonly value: string | null;
  readonly onChange: (name: string) => void;
}

function SessionSelect({ label, view, value, onChange }: SelectProps) {
  const { t, language } = useTexts();
  const chosen = view.sessions.find(({ name }) => name === value);
  const bytes = formatBytes(chosen?.bytes ?? 0, language);
  return (
    <div className="session-select">
      <label>
        {label}
        <select value={value ?? ''} onChange={({ target }) => onChange(target.value)}>
          {view.sessions.map(({ name, changedAt, isReplay }) => (
            <option key={name} value={name}>
              {t(isReplay ? 'sessions.option.replay' : 'sessions.option', {
                date: changedAt.slice(0, 10),
                time: formatTime(changedAt, language),
              })}
            </option>
          ))}
        </select>
      </label>
      {chosen !== undefined && <p className="note">{chosen.isReplay ? t('sessions.isReplay', { bytes }) : bytes}</p>}
    </div>
  );
}

function Figures({ both, changed, moved, onlyLeft, onlyRight, cutLeft, cutRight }: Comparison) {
  const { t } = useTexts();
  return (
    <>
      <p role="status">{t('sessions.compared', { both, changed, moved })}</p>
      {onlyLeft + onlyRight > 0 && <p className="note">{t('sessions.only', { left: onlyLeft, right: onlyRight })}</p>}
      {cutLeft !== null && <p className="note">{t('sessions.cut', { session: t('sessions.left') })}</p>}
      {cutRight !== null && <p className="note">{t('sessions.cut', { session: t('sessions.right') })}</p>}
    </>
  );
}
