// The cut line's handle: dragged by a pointer, moved by keys; the canvas says where it is.
import type { CutRow } from '@kerf/bridge';
import type { KeyboardEvent, RefObject } from 'react';
import { useTexts } from '../../i18n/messages.tsx';
import { formatBytes, formatMs } from '../../shared/format.ts';
import { rowName } from '../cut-names.ts';

interface HandleProps {
  readonly handle: RefObject<HTMLDivElement | null>;
  readonly rows: readonly CutRow[];
  readonly chosen: number | null;
  readonly onChoose: (row: number) => void;
}

export function CutHandle({ handle, rows, chosen, onChoose }: HandleProps) {
  const { t, language } = useTexts();
  const row = chosen === null ? undefined : rows[chosen];
  const onKey = (event: KeyboardEvent): void => {
    if (chosen === null) return;
    const step = event.shiftKey ? 10 : 1;
    const to: Readonly<Record<string, number>> = {
      ArrowDown: chosen + step,
      ArrowRight: chosen + step,
      ArrowUp: chosen - step,
      ArrowLeft: chosen - step,
      PageDown: chosen + 10,
      PageUp: chosen - 10,
      Home: 0,
      End: rows.length - 1,
    };
    const next = to[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onChoose(Math.max(0, Math.min(next, rows.length - 1)));
  };
  const text =
    row === undefined
      ? ''
      : t('cut.handleText', {
          name: rowName(row, t),
          bytes: formatBytes(row.uplinkBytes, language),
          ms: formatMs(row.latencyMs, language),
        });
  return (
    <div
      ref={handle}
      className="cut-handle"
      role="slider"
      tabIndex={row === undefined ? -1 : 0}
      hidden={row === undefined}
      aria-label={t('cut.handle')}
      aria-orientation="vertical"
      aria-valuemin={0}
      aria-valuemax={Math.max(0, rows.length - 1)}
      aria-valuenow={chosen ?? 0}
      aria-valuetext={text}
      onKeyDown={onKey}
    >
      <span aria-hidden="true">⇕</span>
      {row !== undefined && (
        <span className="cut-handle-text">
          {row.placement === 'edge' ? '' : `${formatBytes(row.uplinkBytes, language)} · `}
          {formatMs(row.latencyMs, language)}
        </span>
      )}
    </div>
  );
}
