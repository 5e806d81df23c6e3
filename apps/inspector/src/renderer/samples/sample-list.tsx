// Kept parts as rows: what they were judged, why they were kept, what a person called them.
import type { SampleView } from '@kerf/bridge';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { formatScore } from '../shared/format.ts';
import { VerdictLabel } from '../shared/verdict-mark.tsx';

interface Props {
  readonly samples: readonly SampleView[];
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
  readonly onEnd: (() => void) | null;
}

export function SampleList({ samples, chosen, onChoose, onEnd }: Props) {
  const { t, language } = useTexts();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: samples.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 64,
    overscan: 6,
    getItemKey: (index) => samples[index]?.id ?? index,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= samples.length - 1) onEnd?.();
  }, [last, samples.length, onEnd]);
  useEffect(() => {
    if (chosen < samples.length) rows.scrollToIndex(chosen, { align: 'auto' });
  }, [rows, chosen, samples.length]);
  return (
    <div ref={scroller} className="rows sample-rows" tabIndex={-1}>
      <ul style={{ height: rows.getTotalSize() }}>
        {items.map(({ index, start, key }) => {
          const sample = samples[index];
          if (sample === undefined) return null;
          const { record, reasons, label } = sample;
          return (
            <li key={key} style={{ transform: `translateY(${start}px)` }}>
              <button type="button" aria-current={index === chosen} onClick={() => onChoose(index)}>
                <VerdictLabel verdict={record.verdict} />
                <span className="sample-what">
                  <span className="row-part">{record.partId ?? t('line.noPartId')}</span>
                  <span className="sample-why">
                    {reasons.map((reason) => t(`samples.reason.${reason}`)).join(', ')}
                  </span>
                </span>
                <span className="row-number">{record.score === null ? '–' : formatScore(record.score, language)}</span>
                <span className="sample-label">{label === null ? '–' : label.name}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
