// Numbers against numbers -> a chart with its axes. Lines stretch with the page, letters and marks keep their size.
import { type Html, html } from '../../page/html.ts';
import { percent } from '../../page/ticks.ts';

/** A place in a plot: 0 to 1 from the left, 0 to 1 from the bottom. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Tick {
  readonly share: number;
  readonly text: string;
}

export interface PlotParts {
  readonly height: number;
  readonly alternative: string;
  readonly yTicks: readonly Tick[];
  readonly xTicks: readonly Tick[];
  readonly yTitle: string;
  readonly xTitle: string;
  /** Behind the grid, and in front of everything: both in the plot's own percentages. */
  readonly behind?: Html | readonly Html[];
  readonly front?: Html | readonly Html[];
  /** Drawn by {@link curve} and the like, stretched. */
  readonly curves?: Html | readonly Html[];
}

const WIDTH = 1000;

export function plot(parts: PlotParts): Html {
  const { height, yTicks, xTicks, behind = [], curves = [], front = [] } = parts;
  const rows = yTicks.map(({ share, text }) => {
    const y = Number((height * (1 - share)).toFixed(1));
    return html`<line x1="0" x2="100%" y1="${y}" y2="${y}" class="grid"/><text x="-8" y="${y + 4}" text-anchor="end" class="tick">${text}</text>`;
  });
  const columns = xTicks.map(
    ({ share, text }, at) =>
      html`<line x1="${percent(share)}" x2="${percent(share)}" y1="0" y2="${height}" class="grid"/><text x="${percent(share)}" y="${height + 17}" text-anchor="middle" class="${at % 2 === 1 && xTicks.length > 5 ? 'tick minor' : 'tick'}">${text}</text>`,
  );
  return html`<div class="plot"><p class="axis-title">${parts.yTitle}</p><div class="canvas"><svg width="100%" height="${height + 22}" role="img" aria-label="${parts.alternative}">
${behind}${rows}${columns}<svg x="0" y="0" width="100%" height="${height}" viewBox="0 0 ${WIDTH} ${height}" preserveAspectRatio="none" overflow="visible">${curves}</svg>${front}<line x1="0" x2="0" y1="0" y2="${height}" class="cursor"/></svg></div><p class="axis-title x">${parts.xTitle}</p></div>`;
}

/** A line through points; null breaks it. */
export function curve(points: readonly (Point | null)[], height: number, kind: string): Html {
  let isOpen = false;
  let path = '';
  for (const point of points) {
    if (point !== null) path += `${isOpen ? 'L' : 'M'}${place(point, height)}`;
    isOpen = point !== null;
  }
  return html`<path d="${path === '' ? 'M0 0' : path}" class="curve ${kind}" vector-effect="non-scaling-stroke"/>`;
}

function place({ x, y }: Point, height: number): string {
  return `${(x * WIDTH).toFixed(1)} ${((1 - y) * height).toFixed(1)}`;
}

/**
 * The area between two stairs of equally wide steps, filled with a pattern that does not stretch. Values are shares of
 * the height.
 */
export function stairs(id: string, from: readonly number[], to: readonly number[], height: number, fill: string): Html {
  const steps = to.length;
  const at = (step: number): string => (step / Math.max(1, steps)).toFixed(5);
  const top = to.map((value, step) => `L${at(step)} ${down(value)}L${at(step + 1)} ${down(value)}`).join('');
  const bottom = from
    .map((value, step) => `L${at(step + 1)} ${down(value)}L${at(step)} ${down(value)}`)
    .reverse()
    .join('');
  return html`<clipPath id="${id}" clipPathUnits="objectBoundingBox"><path d="M0 1${top}L1 1${bottom}Z"/></clipPath><rect x="0" y="0" width="100%" height="${height}" fill="${fill}" clip-path="url(#${id})"/>`;
}

function down(share: number): string {
  return (1 - Math.min(1, Math.max(0, share))).toFixed(4);
}

/** A slider under a plot that reads its table row by row; without a script it stays hidden and the table tells the same. */
export function probe(tableId: string, rows: number, start: number, label: string): Html {
  if (rows < 2) return html``;
  return html`<div class="probe" data-table="${tableId}" hidden=""><label><span>${label}</span><input type="range" min="0" max="${rows - 1}" value="${start}" step="1"></label><output></output></div>`;
}
