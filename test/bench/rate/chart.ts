// What was measured on one model -> a chart of bytes a frame against loss.
import { curve, formatBytes, type Html, html, logScale, type Point, percent, plot } from '@kerf/cli';
import type { RateRow, SubjectRates } from './result.ts';

const HEIGHT = 320;
/** Points of loss at the ends of the axis; what lies beyond is drawn at the end, with an arrow. */
const LEAST = -1;
const MOST = 5;
/** What a codec may cost. */
const GOAL = 0.5;

const CURVES = { levels: 'edge', JPEG: 'cloud', WebP: 'split' } as const;

export function rateChart({ name, rows, cuts }: SubjectRates): Html {
  const scale = logScale(rows.map(({ bytesPerFrame }) => bytesPerFrame));
  const x = (bytes: number): number => 0.03 + 0.94 * scale.share(bytes);
  const y = (points: number): number => (Math.min(MOST, Math.max(LEAST, points)) - LEAST) / (MOST - LEAST);
  const at = (row: RateRow): Point => ({ x: x(row.bytesPerFrame), y: y(row.lossPoints) });
  const cutNumber = (row: RateRow): number => cuts.findIndex(({ tensors }) => tensors.join() === row.cut?.join()) + 1;
  const lines = linesOf(rows).map(({ family, members }) => curve(members.map(at), HEIGHT, `rate ${CURVES[family]}`));
  const goal = HEIGHT * (1 - y(GOAL));
  return plot({
    height: HEIGHT,
    alternative: `${name}: bytes a frame against points of loss; the table below has the same numbers`,
    yTicks: [-1, 0, 1, 2, 3, 4, 5].map((points) => ({ share: y(points), text: String(points).replace('-', '\u2212') })),
    xTicks: scale.ticks.map((bytes) => ({ share: x(bytes), text: bytesText(bytes) })),
    yTitle: 'points lost',
    xTitle: 'bytes a frame (logarithmic)',
    behind: html`<line x1="0" x2="100%" y1="${goal}" y2="${goal}" class="goal"/>`,
    curves: lines,
    front: rows.map((row) => mark(row, at(row), y, cutNumber(row))),
  });
}

/** Ways that form a curve: one format at several qualities, one cut at several limits. */
function linesOf(rows: readonly RateRow[]): { family: keyof typeof CURVES; members: RateRow[] }[] {
  const groups = new Map<string, { family: keyof typeof CURVES; members: RateRow[] }>();
  for (const row of rows) {
    if (row.family !== 'levels' && row.family !== 'JPEG' && row.family !== 'WebP') continue;
    const key = `${row.family} ${row.cut?.join() ?? ''} ${row.label.includes('golden')}`;
    const group = groups.get(key) ?? { family: row.family, members: [] };
    group.members.push(row);
    groups.set(key, group);
  }
  for (const { members } of groups.values()) members.sort((one, other) => one.bytesPerFrame - other.bytesPerFrame);
  return [...groups.values()];
}

function mark(row: RateRow, place: Point, y: (points: number) => number, cut: number): Html {
  const { low, high } = row.lossInterval;
  const from = HEIGHT * (place.y - y(low));
  const to = HEIGHT * (place.y - y(high));
  const isBeyond = row.lossPoints > MOST;
  const top = isBeyond ? html`<path d="M0-17l5 6h-10z" class="beyond"/>` : html``;
  const number = cut === 0 ? html`` : html`<text y="3.5" class="cut-number ${row.family}">${cut}</text>`;
  const title = `${row.label}: ${bytesText(row.bytesPerFrame)}, ${row.lossPoints.toFixed(2)} points`;
  return html`<svg x="${percent(place.x)}" y="${(HEIGHT * (1 - place.y)).toFixed(1)}" overflow="visible"><title>${title}</title><line y1="${from.toFixed(1)}" y2="${to.toFixed(1)}" class="interval"/>${SHAPES[row.family]}${top}${number}</svg>`;
}

/** Each kind has a shape of its own, so that nothing depends on colour. */
export const SHAPES: Readonly<Record<RateRow['family'], Html>> = {
  levels: html`<circle r="8" class="way levels"/>`,
  uint8: html`<rect x="-7" y="-7" width="14" height="14" class="way uint8"/>`,
  plain: html`<rect x="-7" y="-7" width="14" height="14" rx="4" class="way plain"/>`,
  JPEG: html`<path d="M0-7L7 0L0 7L-7 0Z" class="way jpeg"/>`,
  WebP: html`<path d="M0-7L7 5L-7 5Z" class="way webp"/>`,
  'lossless image': html`<path d="M-6-6L6 6M-6 6L6-6" class="way cross"/>`,
};

export const FAMILIES: Readonly<Record<RateRow['family'], string>> = {
  levels: 'levels, calibrated',
  uint8: 'uint8',
  plain: 'raw, lossless, float16',
  JPEG: 'JPEG of the input',
  WebP: 'WebP of the input',
  'lossless image': 'PNG, lossless WebP',
};

function bytesText(bytes: number): string {
  return formatBytes(Math.round(bytes)).replace('.0 ', ' ');
}
