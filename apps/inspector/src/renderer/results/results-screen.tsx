// All results that the station still holds, newest first, and the reason of the chosen one.
import { type FaultView, MAX_PAGE } from '@kerf/bridge';
import type { Verdict } from '@kerf/edge-runtime';
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { FaultText } from '../shared/fault-text.tsx';
import { formatMs, formatScore, formatTime } from '../shared/format.ts';
import { PartName } from '../shared/part-name.tsx';
import { RowList } from '../shared/row-list.tsx';
import { useInspector, useStore } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';
import { VerdictLabel } from '../shared/verdict-mark.tsx';
import { ResultList } from './result-list.ts';
import { WhyPanel } from './why-panel.tsx';

const FILTERS: readonly (Verdict | null)[] = [null, 'NG', 'REVIEW', 'NO_READ', 'ERROR', 'PASS'];

interface Props {
  readonly chosen: string | null;
  readonly showOverlay: boolean;
  readonly onChoose: (resultId: string) => void;
}

export function ResultsScreen({ chosen, showOverlay, onChoose }: Props) {
  const { t } = useTexts();
  const [filter, setFilter] = useState<Verdict | null>(null);
  const { list, fault, more } = useResults(filter);
  return (
    <div className="results">
      <section className="results-list fills" aria-label={t('results.title')}>
        <div className="filters" role="group" aria-label={t('results.filter')}>
          {FILTERS.map((verdict) => (
            <button
              key={verdict ?? 'all'}
              type="button"
              aria-pressed={filter === verdict}
              onClick={() => setFilter(verdict)}
            >
              {verdict === null ? t('results.all') : <VerdictLabel verdict={verdict} />}
            </button>
          ))}
        </div>
        <FaultText fault={fault} />
        {list.length === 0 ? (
          <p className="empty">{t(filter === null ? 'results.empty' : 'results.emptyFiltered')}</p>
        ) : (
          <Rows key={filter} list={list} chosen={chosen} onChoose={onChoose} onEnd={more} />
        )}
      </section>
      <WhyPanel resultId={chosen} showOverlay={showOverlay} />
    </div>
  );
}

interface RowsProps {
  readonly list: ResultList;
  readonly chosen: string | null;
  readonly onChoose: (resultId: string) => void;
  readonly onEnd: (() => void) | null;
}

function Rows({ list, chosen, onChoose, onEnd }: RowsProps) {
  const { language } = useTexts();
  return (
    <RowList
      kind="result-rows"
      count={list.length}
      rowPx={48}
      cameAbove={list.freshLength}
      chosen={chosen === null ? -1 : list.indexOf(chosen)}
      keyOf={(index) => list.at(index)?.resultId ?? index}
      onChoose={(index) => onChoose(list.at(index)?.resultId ?? '')}
      onEnd={onEnd}
    >
      {(index) => {
        const record = list.at(index);
        if (record === undefined) return null;
        return (
          <>
            <VerdictLabel verdict={record.verdict} />
            <PartName id={record.partId} />
            <span className="row-number">{record.score === null ? '–' : formatScore(record.score, language)}</span>
            <span className="row-number">{formatMs(record.totalMs, language)}</span>
            <span className="row-time">{formatTime(record.takenTime, language)}</span>
          </>
        );
      }}
    </RowList>
  );
}

/** Pages of results, and new ones as they come; made anew with the filter and when the station comes back. */
function useResults(filter: Verdict | null) {
  const { bridge, link } = useInspector();
  const isConnected = useStore(link).kind === 'connected';
  const list = useMemo(() => new ResultList(filter), [filter, isConnected]);
  useSyncExternalStore(list.subscribe, list.version);
  const [asked, setAsked] = useState<{ readonly hasMore: boolean; readonly fault: FaultView | null }>(NOTHING_YET);
  const asking = useRef<ResultList | null>(null);
  const more = useCallback((): void => {
    if (!isConnected || asking.current === list) return;
    asking.current = list;
    const before = list.oldest?.resultId ?? null;
    void bridge.call('results.list', { before, limit: MAX_PAGE, verdicts: filter === null ? null : [filter] }).then(
      ({ records, hasMore }) => {
        if (asking.current !== list) return;
        asking.current = null;
        list.append(records);
        setAsked({ hasMore, fault: null });
      },
      (error: unknown) => {
        if (asking.current === list) asking.current = null;
        setAsked({ hasMore: false, fault: faultOf(error) });
      },
    );
  }, [bridge, isConnected, filter, list]);
  useEffect(() => bridge.subscribe('result', (record) => list.add(record)), [bridge, list]);
  useEffect(more, [more]);
  return { list, fault: asked.fault, more: asked.hasMore ? more : null };
}

const NOTHING_YET = { hasMore: false, fault: null };
