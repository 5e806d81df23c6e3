// Rows of a demo -> charts of HTML text and inline SVG that keep their letters readable at any width.
//
// Every row is a grid cell with an <svg> of percentages: the drawing stretches with the page, the text does not.

import { formatMs } from '../page/format.ts';
import { type Html, html } from '../page/html.ts';
import { formatTick, linearTicks, percent } from '../page/ticks.ts';
import { formatBytes } from '../units.ts';
import type { DemoRow, DemoSpan, SpanPlace } from './report.ts';

/** Patterns tell the places apart without colour; referenced by all charts of a page, so put in once. */
export const PATTERNS: Html = html`<svg width="0" height="0" class="defs" aria-hidden="true"><defs>
<pattern id="hatch-link" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="link"/><rect width="2" height="6" class="hatch"/></pattern>
<pattern id="dots-cloud" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" class="cloud"/><circle cx="3" cy="3" r="1" class="hatch"/></pattern>
</defs></svg>`;

const FILLS: Readonly<Record<SpanPlace, string>> = {
  edge: 'var(--edge)',
  link: 'url(#hatch-link)',
  cloud: 'url(#dots-cloud)',
};
const PLACE_NAMES: Readonly<Record<SpanPlace, string>> = { edge: 'edge', link: 'link', cloud: 'cloud' };
/** A share of the bar that has room for a numeral even on a phone. */
const NUMERAL_SHARE = 0.05;

/** p50 as a bar, p99 as a thinner one behind it, to one linear scale from 0. */
export function latencyChart(rows: readonly DemoRow[]): Html {
  const ticks = linearTicks(Math.max(...rows.map((row) => row.p99Ms)));
  const end = ticks.at(-1) ?? 1;
  const fastestMs = Math.min(...rows.map((row) => row.p50Ms));
  const lines = rows.map((row) => {
    const fast = row.p50Ms === fastestMs;
    const drawing = html`<rect x="0" y="11" width="${percent(row.p99Ms / end)}" height="6" class="p99"/><rect x="0" y="5" width="${percent(row.p50Ms / end)}" height="18" class="${fast ? 'p50 best' : 'p50'}"/>`;
    const alternative = `p50 ${formatMs(row.p50Ms)} ms, p99 ${formatMs(row.p99Ms)} ms`;
    const value = html`<b>${formatMs(row.p50Ms)}</b> <span class="dim">p99 ${formatMs(row.p99Ms)}</span>`;
    return chartRow(row.label, drawingOf(drawing, 28, alternative, ticks, end), value, fast ? 'fastest' : '');
  });
  return html`<div class="chart">${lines}${axis(
    ticks.map((tick) => ({ share: tick / end, text: formatTick(tick) })),
    'ms',
  )}</div>`;
}

/** Bytes up as a disc, bytes down as a ring, on a logarithmic scale: dots, because a bar would need a zero. */
export function bytesChart(rows: readonly DemoRow[]): Html {
  const sizes = rows.flatMap((row) => [row.bytesUpPerFrame, row.bytesDownPerFrame]).filter((bytes) => bytes > 0);
  if (sizes.length === 0) return html`<p>No placement sent anything.</p>`;
  const low = Math.floor(Math.log10(Math.min(...sizes)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...sizes))));
  const share = (bytes: number) => (Math.log10(bytes) - low) / (high - low);
  const ticks = Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at));
  const dot = (bytes: number, kind: string) =>
    bytes > 0 ? html`<circle cx="${percent(share(bytes))}" cy="14" r="6" class="${kind}"/>` : html``;
  const lines = rows.map((row) => {
    const { bytesUpPerFrame: up, bytesDownPerFrame: down } = row;
    const thread = up > 0 ? html`<line x1="0" x2="${percent(share(up))}" y1="14" y2="14" class="thread"/>` : html``;
    const grid = ticks.map((tick) => gridLine(share(tick), 28));
    const alternative = `${formatBytes(up)} up, ${formatBytes(down)} down`;
    const drawing = svg(html`${grid}${thread}${dot(up, 'up')}${dot(down, 'down')}`, 28, alternative);
    const value =
      up + down === 0
        ? html`<b>nothing sent</b>`
        : html`<b>${formatBytes(up)}</b> <span class="dim">down ${formatBytes(down)}</span>`;
    return chartRow(row.label, drawing, value, '');
  });
  return html`<div class="chart dots">${lines}${axis(
    ticks.map((tick) => ({ share: share(tick), text: formatBytes(tick).replace('.0 ', ' ') })),
    'logarithmic',
  )}</div>`;
}

/** The spans of every placement, end to end, to one scale; numbered, and listed under each bar. */
export function waterfallChart(rows: readonly DemoRow[]): Html {
  const sums = rows.map((row) => row.spans.reduce((sum, span) => sum + span.medianMs, 0));
  const ticks = linearTicks(Math.max(...sums));
  const end = ticks.at(-1) ?? 1;
  const lines = rows.map((row, place) => {
    const sum = sums[place] ?? 0;
    const alternative = row.spans
      .map((span) => `${span.name} (${PLACE_NAMES[span.place]}) ${formatMs(span.medianMs)} ms`)
      .join(', ');
    const list = row.spans.map(
      (span, at) => html`<li class="${span.place}"><i>${at + 1}</i>${span.name} <b>${formatMs(span.medianMs)}</b></li>`,
    );
    return html`<div class="fall"><div class="name">${row.label} <span class="dim">${formatMs(sum)}</span></div>${drawingOf(segments(row.spans, end), 28, alternative, ticks, end)}<ol>${list}</ol></div>`;
  });
  const labels = ticks.map((tick) => ({ share: tick / end, text: formatTick(tick) }));
  return html`<div class="chart falls">${lines}<div class="fall">${axisDrawing(labels)}</div></div>`;
}

function segments(spans: readonly DemoSpan[], end: number): Html[] {
  let startMs = 0;
  return spans.map((span, at) => {
    const from = startMs / end;
    const share = span.medianMs / end;
    startMs += span.medianMs;
    const middle = percent(from + share / 2);
    const numeral =
      share < NUMERAL_SHARE
        ? html``
        : html`<circle cx="${middle}" cy="14" r="8" class="disc"/><text x="${middle}" y="18" class="numeral">${at + 1}</text>`;
    return html`<rect x="${percent(from)}" y="3" width="${percent(share)}" height="22" fill="${FILLS[span.place]}" class="segment"/>${numeral}`;
  });
}

/** What the fills of a waterfall mean. */
export const PLACE_LEGEND: Html = html`<p class="legend">${(['edge', 'link', 'cloud'] as const).map(
  (place) =>
    html`<span><svg width="22" height="12" aria-hidden="true"><rect width="22" height="12" fill="${FILLS[place]}"/></svg> ${PLACE_NAMES[place]}</span> `,
)}</p>`;

function chartRow(label: string, drawing: Html, value: Html, mark: string): Html {
  const badge = mark === '' ? html`` : html` <span class="mark">${mark}</span>`;
  return html`<div class="row"><div class="name">${label}${badge}</div>${drawing}<div class="value">${value}</div></div>`;
}

function drawingOf(
  content: Html | readonly Html[],
  height: number,
  alternative: string,
  ticks: readonly number[],
  end: number,
): Html {
  return svg(html`${ticks.map((tick) => gridLine(tick / end, height))}${content}`, height, alternative);
}

function svg(content: Html, height: number, alternative: string): Html {
  return html`<svg width="100%" height="${height}" role="img" aria-label="${alternative}">${content}</svg>`;
}

function gridLine(share: number, height: number): Html {
  return html`<line x1="${percent(share)}" x2="${percent(share)}" y1="0" y2="${height}" class="grid"/>`;
}

interface AxisLabel {
  readonly share: number;
  readonly text: string;
}

function axis(labels: readonly AxisLabel[], unit: string): Html {
  return html`<div class="row axis"><div class="name"></div>${axisDrawing(labels)}<div class="value dim">${unit}</div></div>`;
}

function axisDrawing(labels: readonly AxisLabel[]): Html {
  const last = labels.length - 1;
  const texts = labels.map(({ share, text }, at) => {
    const anchor = at === 0 ? 'start' : at === last ? 'end' : 'middle';
    // On a phone there is room for five; of more, every other one goes, counted from the last.
    const kind = last > 4 && at > 0 && (last - at) % 2 === 1 ? 'tick minor' : 'tick';
    return html`<text x="${percent(share)}" y="13" text-anchor="${anchor}" class="${kind}">${text}</text>`;
  });
  return html`<svg width="100%" height="18" aria-hidden="true">${texts}</svg>`;
}
