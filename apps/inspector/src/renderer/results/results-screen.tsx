// All results that the station still holds, newest first, and the reason of the chosen one.
import type { ResultRecord, Verdict } from '@kerf/edge-runtime';
import { messageOf } from '@kerf/protocol';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { formatMs, formatScore, formatTime } from '../shared/format.ts';
import { useInspector, useStore } from '../shared/store.ts';
import { VerdictLabel } from '../shared/verdict-mark.tsx';
import { WhyPanel } from './why-panel.tsx';

const PAGE = 200;
const FILTERS: readonly (Verdict | null)[] = [null, 'NG', 'REVIEW', 'NO_READ', 'ERROR', 'PASS'];

interface Props {
  readonly chosen: string | null;
  readonly showOverlay: boolean;
  readonly onChoose: (resultId: string) => void;
}

export function ResultsScreen({ chosen, showOverlay, onChoose }: Props) {
  const { t } = useTexts();
  const [filter, setFilter] = useState<Verdict | null>(null);
  const { records, hasMore, fault, more } = useResults(filter);
  return (
    <div className="results">
      <section className="results-list" aria-label={t('results.title')}>
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
        {fault !== null && (
          <p className="fault" role="alert">
            {t('error.call', { message: fault })}
          </p>
        )}
        {records.length === 0 ? (
          <p className="empty">{t(filter === null ? 'results.empty' : 'results.emptyFiltered')}</p>
        ) : (
          <Rows records={records} chosen={chosen} onChoose={onChoose} onEnd={hasMore ? more : null} />
        )}
      </section>
      <WhyPanel resultId={chosen} showOverlay={showOverlay} />
    </div>
  );
}

interface RowsProps {
  readonly records: readonly ResultRecord[];
  readonly chosen: string | null;
  readonly onChoose: (resultId: string) => void;
  readonly onEnd: (() => void) | null;
}

/** Only what is in sight is in the document: a million results scroll like ten. */
function Rows({ records, chosen, onChoose, onEnd }: RowsProps) {
  const { t, language } = useTexts();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: records.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 48,
    overscan: 8,
    getItemKey: (index) => records[index]?.resultId ?? index,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= records.length - 1) onEnd?.();
  }, [last, records.length, onEnd]);
  return (
    <div ref={scroller} className="rows" tabIndex={-1}>
      <ul style={{ height: rows.getTotalSize() }}>
        {items.map(({ index, start, key }) => {
          const record = records[index];
          if (record === undefined) return null;
          return (
            <li key={key} style={{ transform: `translateY(${start}px)` }}>
              <button type="button" aria-current={record.resultId === chosen} onClick={() => onChoose(record.resultId)}>
                <VerdictLabel verdict={record.verdict} />
                <span className="row-part">{record.partId ?? t('line.noPartId')}</span>
                <span className="row-number">{record.score === null ? '–' : formatScore(record.score, language)}</span>
                <span className="row-number">{formatMs(record.totalMs, language)}</span>
                <span className="row-time">{formatTime(record.takenTime, language)}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** Pages of results, and new ones as they come. */
function useResults(filter: Verdict | null) {
  const { bridge, link, recent } = useInspector();
  const isConnected = useStore(link).kind === 'connected';
  const newest = useStore(recent);
  const [pages, setPages] = useState<{ records: readonly ResultRecord[]; hasMore: boolean }>({
    records: [],
    hasMore: false,
  });
  const [fault, setFault] = useState<string | null>(null);
  const asking = useRef(false);
  const ask = (before: string | null): void => {
    if (asking.current) return;
    asking.current = true;
    bridge
      .call('results.list', { before, limit: PAGE, verdicts: filter === null ? null : [filter] })
      .then(
        ({ records, hasMore }) => {
          setFault(null);
          setPages((known) => ({ records: before === null ? records : [...known.records, ...records], hasMore }));
        },
        (error: unknown) => setFault(messageOf(error)),
      )
      .finally(() => {
        asking.current = false;
      });
  };
  useEffect(() => {
    if (isConnected) ask(null);
  }, [bridge, isConnected, filter]);
  return {
    records: merged(newest, pages.records, filter),
    hasMore: pages.hasMore,
    fault,
    more: () => ask(pages.records.at(-1)?.resultId ?? null),
  };
}

/** New ones in front, final ones in the place of their provisional ones. */
export function merged(
  newest: readonly ResultRecord[],
  known: readonly ResultRecord[],
  filter: Verdict | null,
): readonly ResultRecord[] {
  const fresh = new Map(newest.map((record) => [record.resultId, record]));
  const kept = known.map((record) => {
    const other = fresh.get(record.resultId);
    fresh.delete(record.resultId);
    return other !== undefined && other.revision > record.revision ? other : record;
  });
  return [...fresh.values(), ...kept].filter(({ verdict }) => filter === null || verdict === filter);
}
