// Every legal cut with what it sends and takes, in the order of the model; only rows in sight are in the document.
import type { CutPlan, CutState } from '@kerf/bridge';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { formatBytes, formatMs } from '../shared/format.ts';
import { rowName } from './cut-names.ts';
import { measuredOf } from './use-cut.ts';

interface Props {
  readonly plan: CutPlan;
  readonly state: CutState;
  readonly chosen: number;
  readonly now: number | null;
  readonly onChoose: (row: number) => void;
}

/** A name above its numbers. */
const ROW_PX = 72;
const COLUMNS = ['sent', 'head', 'link', 'tail', 'predicted', 'measured'] as const;

export function CutTable({ plan, state, chosen, now, onChoose }: Props) {
  const { t, language } = useTexts();
  const { rows } = plan;
  const scroller = useRef<HTMLDivElement>(null);
  const shown = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
  });
  useEffect(() => {
    shown.scrollToIndex(chosen, { align: 'auto' });
  }, [shown, chosen]);
  return (
    <section className="panel cut-table" aria-label={t('cut.table', { count: rows.length })}>
      <h2>{t('cut.table', { count: rows.length })}</h2>
      <div className="cut-row cut-head" aria-hidden="true">
        {COLUMNS.map((name) => (
          <span key={name}>{t(`cut.column.${name}`)}</span>
        ))}
      </div>
      <div ref={scroller} className="rows cut-rows" tabIndex={-1}>
        <ul style={{ height: shown.getTotalSize() }}>
          {shown.getVirtualItems().map(({ index, start, key }) => {
            const row = rows[index];
            if (row === undefined) return null;
            const measured = measuredOf(row, state);
            const isHere = row.placement === 'edge';
            const cells = [
              isHere ? '–' : formatBytes(row.uplinkBytes, language),
              formatMs(row.headMs + row.encodeMs, language),
              isHere ? '–' : formatMs(row.uplinkMs + row.roundTripMs + row.downlinkMs, language),
              isHere ? '–' : formatMs(row.decodeMs + row.tailMs, language),
              formatMs(row.latencyMs, language),
              measured?.ms == null ? '–' : formatMs(measured.ms, language),
            ];
            return (
              <li key={key} style={{ transform: `translateY(${start}px)` }}>
                <button type="button" aria-current={index === chosen} onClick={() => onChoose(index)}>
                  <span className="cut-row-name">
                    <span className="row-part">{rowName(row, t)}</span>
                    {index === plan.choice && <span className="tag">{t('cut.tag.best')}</span>}
                    {index === now && <span className="tag">{t('cut.tag.now')}</span>}
                    {row.route !== null && <span className="tag">{t('cut.tag.chain')}</span>}
                    {row.fusion !== null && <span className="tag">{t('cut.tag.fused')}</span>}
                  </span>
                  {cells.map((text, at) => (
                    <span key={COLUMNS[at]} className="row-number">
                      <span className="visually-hidden">{`${t(`cut.column.${COLUMNS[at] as 'sent'}`)}: `}</span>
                      {text}
                    </span>
                  ))}
                </button>
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}
