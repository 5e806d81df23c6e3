// Pairs of the same part as rows: what the one session says, and what the other.
import type { PairView, SidedVerdict } from '@kerf/bridge';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { formatScore } from '../shared/format.ts';
import { VerdictLabel } from '../shared/verdict-mark.tsx';

interface Props {
  readonly pairs: readonly PairView[];
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
  readonly onEnd: (() => void) | null;
}

export function PairList({ pairs, chosen, onChoose, onEnd }: Props) {
  const { t } = useTexts();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: pairs.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 64,
    overscan: 8,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= pairs.length - 1) onEnd?.();
  }, [last, pairs.length, onEnd]);
  return (
    <div ref={scroller} className="rows pair-rows" tabIndex={-1}>
      <ul style={{ height: rows.getTotalSize() }}>
        {items.map(({ index, start, key }) => {
          const pair = pairs[index];
          if (pair === undefined) return null;
          const isChanged = pair.left?.verdict !== pair.right?.verdict;
          return (
            <li key={key} style={{ transform: `translateY(${start}px)` }}>
              <button
                type="button"
                aria-current={index === chosen}
                data-changed={isChanged}
                onClick={() => onChoose(index)}
              >
                <span className="row-part">{pair.partId ?? t('line.noPartId')}</span>
                <Side said={pair.left} />
                <span aria-hidden="true">{isChanged ? '→' : '='}</span>
                <Side said={pair.right} />
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Side({ said }: { readonly said: SidedVerdict | null }) {
  const { t, language } = useTexts();
  if (said === null) return <span className="note">{t('sessions.absent')}</span>;
  return (
    <span className="pair-side">
      <VerdictLabel verdict={said.verdict} />
      <span className="row-number">{said.score === null ? '–' : formatScore(said.score, language)}</span>
    </span>
  );
}
