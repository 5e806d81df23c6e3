// A score on the scale of its thresholds.
import type { ThresholdsView } from '@kerf/bridge';

const WIDTH = 400;
const HEIGHT = 34;

export function ScoreScale({ score, thresholds }: { readonly score: number; readonly thresholds: ThresholdsView }) {
  const { passBelow, ngAbove } = thresholds;
  const most = Math.max(1, score, ngAbove * 1.2);
  const x = (value: number): number => (Math.max(0, Math.min(value, most)) / most) * WIDTH;
  return (
    <svg className="scale" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <rect className="zone-PASS" x={0} y={12} width={x(passBelow)} height={10} />
      <rect className="zone-REVIEW" x={x(passBelow)} y={12} width={x(ngAbove) - x(passBelow)} height={10} />
      <rect className="zone-NG" x={x(ngAbove)} y={12} width={WIDTH - x(ngAbove)} height={10} />
      <path className="scale-score" d={`M${x(score)} 12l-6 -10h12zM${x(score) - 1} 10h2v14h-2z`} />
    </svg>
  );
}
