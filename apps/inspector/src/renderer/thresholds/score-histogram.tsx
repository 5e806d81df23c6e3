// Scores -> bars over an axis, and two handles that a mouse, a finger and arrow keys move.
import { type PointerEvent, useContext, useRef } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { formatNumber } from '../shared/format.ts';
import { TargetContext } from '../shared/target.ts';
import { useWidth } from '../shared/use-width.ts';
import { axisTicks, countBins } from './count-bins.ts';
import { ThresholdHandle } from './threshold-handle.tsx';

/** Bars, then the marks of labelled parts and the handles' grips, then the axis. */
const BASE = 200;
const HEIGHT = BASE + 56;
/** Room for the outermost ticks and grips. */
const MARGIN = 24;
const BINS = 40;

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
  const { t, language } = useTexts();
  const svg = useRef<SVGSVGElement>(null);
  const target = useContext(TargetContext);
  // In pixels of the screen: a finger is as wide on a phone as on a wall.
  const width = Math.max(240, useWidth(svg));
  const { counts, least, most } = countBins(
    scores,
    [thresholds.passBelow, thresholds.ngAbove, ...labelled.map(({ score }) => score)],
    BINS,
  );
  const tallest = Math.max(1, ...counts);
  const inner = width - 2 * MARGIN;
  const { ticks, digits } = axisTicks(least, most, inner / 90);
  const x = (value: number): number => MARGIN + ((value - least) / (most - least)) * inner;
  const valueAt = (event: PointerEvent): number => {
    const box = svg.current?.getBoundingClientRect();
    if (box === undefined) return least;
    const share = Math.max(0, Math.min((event.clientX - box.left - MARGIN) / inner, 1));
    return Number((least + share * (most - least)).toFixed(3));
  };
  const [pass, ng] = [x(thresholds.passBelow), x(thresholds.ngAbove)];
  const zones = [
    ['PASS', MARGIN, pass],
    ['REVIEW', pass, ng],
    ['NG', ng, width - MARGIN],
  ] as const;
  return (
    <svg ref={svg} className="histogram" viewBox={`0 0 ${width} ${HEIGHT}`} height={HEIGHT}>
      {zones.map(([verdict, from, to]) => (
        <rect key={verdict} className={`zone-${verdict}`} x={from} y={0} width={Math.max(0, to - from)} height={BASE} />
      ))}
      {counts.map((count, bin) => {
        const height = (Math.sqrt(count) / Math.sqrt(tallest)) * (BASE - 30);
        const at = MARGIN + (bin * inner) / BINS + 1;
        return (
          <rect
            key={bin}
            className="bin"
            x={at}
            y={BASE - height}
            width={Math.max(1, inner / BINS - 2)}
            height={height}
          />
        );
      })}
      {zones.map(([verdict, from, to]) => {
        const name = t(`verdict.${verdict}`);
        // Half a character wider than it is, in any language.
        const fits = to - from > 16 + name.length * (/^[\w ]+$/.test(name) ? 11 : 18);
        return fits && <text key={verdict} className="zone-name" x={(from + to) / 2} y={20} children={name} />;
      })}
      {ticks.map((value) => (
        <text key={value} className="tick" x={x(value)} y={HEIGHT - 4}>
          {formatNumber(value, language, digits)}
        </text>
      ))}
      {labelled.map(({ score, isDefective }, index) => (
        <path
          key={index}
          className={isDefective ? 'mark-defective' : 'mark-good'}
          d={isDefective ? cross(x(score)) : circle(x(score))}
        />
      ))}
      {(['passBelow', 'ngAbove'] as const).map((name) => (
        <ThresholdHandle
          key={name}
          name={name}
          at={x(thresholds[name])}
          base={BASE}
          widthPx={target}
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
  return `M${at - 4} ${BASE + 21}a4 4 0 1 0 8 0a4 4 0 1 0-8 0z`;
}
