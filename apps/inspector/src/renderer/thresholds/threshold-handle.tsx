// A threshold's handle: as wide as a finger (a glove) needs, moved by pointer and by arrow keys.
import type { KeyboardEvent, PointerEvent } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { formatThreshold } from '../shared/format.ts';

const KEY_STEP = 0.01;

interface Props {
  readonly name: 'passBelow' | 'ngAbove';
  /** Pixels from the left. */
  readonly at: number;
  /** Where the bars stand, pixels from above. */
  readonly base: number;
  readonly widthPx: number;
  readonly value: number;
  readonly range: readonly [number, number];
  readonly valueAt: (event: PointerEvent) => number;
  readonly onChange: (value: number) => void;
}

export function ThresholdHandle({ name, at, base, widthPx, value, range: [least, most], valueAt, onChange }: Props) {
  const { t, language } = useTexts();
  const move = (by: number): void => onChange(Number(Math.max(least, Math.min(value + by, most)).toFixed(3)));
  const onKey = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? 10 * KEY_STEP : KEY_STEP;
    if (event.key === 'ArrowLeft' || event.key === 'ArrowDown') move(-step);
    else if (event.key === 'ArrowRight' || event.key === 'ArrowUp') move(step);
    else return;
    event.preventDefault();
  };
  return (
    <g
      className="handle"
      role="slider"
      tabIndex={0}
      aria-label={t(`thresholds.${name}`)}
      aria-valuemin={least}
      aria-valuemax={most}
      aria-valuenow={value}
      aria-valuetext={formatThreshold(value, language)}
      onKeyDown={onKey}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && onChange(valueAt(event))}
    >
      <rect className="handle-grip" x={at - widthPx / 2} y={0} width={widthPx} height={base + 40} />
      <path className="handle-line" d={`M${at} 0V${base}`} />
      <path className="handle-knob" d={`M${at} ${base - 4}l14 16v16h-28v-16z`} />
      <path className="handle-ridges" d={`M${at - 5} ${base + 14}v9m5-9v9m5-9v9`} />
    </g>
  );
}
