// Scores -> bars, and two handles that a mouse, a finger and arrow keys move.
import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { formatScore } from '../shared/format.ts';
import { countBins } from './count-bins.ts';

const WIDTH = 600;
const HEIGHT = 180;
const BASE = HEIGHT - 22;
const BINS = 40;
const KEY_STEP = 0.01;

interface Values {
  readonly passBelow: number;
  readonly ngAbove: number;
}

interface Props {
  readonly scores: readonly number[];
  /** Drawn below the bars: circles for good parts, crosses for defective ones. */
  readonly labelled: readonly { readonly score: number; readonly isDefective: boolean }[];
  readonly thresholds: Values;
  readonly onChange: (part: Partial<Values>) => void;
}

export function ScoreHistogram({ scores, labelled, thresholds, onChange }: Props) {
  const svg = useRef<SVGSVGElement>(null);
  const { counts, least, most } = countBins(
    scores,
    [thresholds.passBelow, thresholds.ngAbove, ...labelled.map(({ score }) => score)],
    BINS,
  );
  const tallest = Math.max(1, ...counts);
  const x = (value: number): number => ((value - least) / (most - least)) * WIDTH;
  const valueAt = (event: PointerEvent): number => {
    const box = svg.current?.getBoundingClientRect();
    if (box === undefined) return least;
    const share = Math.max(0, Math.min((event.clientX - box.left) / box.width, 1));
    return Number((least + share * (most - least)).toFixed(3));
  };
  return (
    <svg ref={svg} className="histogram" viewBox={`0 0 ${WIDTH} ${HEIGHT}`}>
      <rect className="zone-pass" x={0} y={0} width={x(thresholds.passBelow)} height={BASE} />
      <rect
        className="zone-review"
        x={x(thresholds.passBelow)}
        y={0}
        width={Math.max(0, x(thresholds.ngAbove) - x(thresholds.passBelow))}
        height={BASE}
      />
      <rect className="zone-ng" x={x(thresholds.ngAbove)} y={0} width={WIDTH - x(thresholds.ngAbove)} height={BASE} />
      {counts.map((count, bin) => {
        const height = (Math.sqrt(count) / Math.sqrt(tallest)) * (BASE - 8);
        return (
          <rect
            key={bin}
            className="bin"
            x={(bin * WIDTH) / BINS + 1}
            y={BASE - height}
            width={WIDTH / BINS - 2}
            height={height}
          />
        );
      })}
      {labelled.map(({ score, isDefective }, index) => (
        <path
          key={index}
          className={isDefective ? 'mark-defective' : 'mark-good'}
          d={isDefective ? cross(x(score)) : circle(x(score))}
        />
      ))}
      {(['passBelow', 'ngAbove'] as const).map((name) => (
        <Handle
          key={name}
          name={name}
          at={x(thresholds[name])}
          value={thresholds[name]}
          range={[least, most]}
          valueAt={valueAt}
          onChange={(value) => onChange({ [name]: value })}
        />
      ))}
    </svg>
  );
}

function cross(at: number): string {
  return `M${at - 4} ${BASE + 5}l8 8m0-8l-8 8`;
}

function circle(at: number): string {
  return `M${at - 4} ${BASE + 17}a4 4 0 1 0 8 0a4 4 0 1 0-8 0z`;
}

interface HandleProps {
  readonly name: keyof Values;
  readonly at: number;
  readonly value: number;
  readonly range: readonly [number, number];
  readonly valueAt: (event: PointerEvent) => number;
  readonly onChange: (value: number) => void;
}

function Handle({ name, at, value, range: [least, most], valueAt, onChange }: HandleProps) {
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
      aria-valuetext={formatScore(value, language)}
      onKeyDown={onKey}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && onChange(valueAt(event))}
    >
      <rect className="handle-grip" x={at - 24} y={0} width={48} height={HEIGHT} />
      <path className="handle-line" d={`M${at} 0V${BASE}M${at - 7} ${BASE}h14v14h-14z`} />
    </g>
  );
}
