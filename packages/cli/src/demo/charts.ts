// Rows of a demo -> charts of HTML text and inline SVG that keep their letters readable at any width.
//
// Every row is a grid cell with an <svg> of percentages: the drawing stretches with the page, the text does not.

import { type AxisLabel, axisDrawing, gridLine, svg } from '../page/drawing.ts';
import { formatMs } from '../page/format.ts';
import { type Html, html } from '../page/html.ts';
import { formatTick, linearTicks, percent } from '../page/ticks.ts';
import { waterfallChart } from '../page/waterfall.ts';
import { formatBytes } from '../units.ts';
import type { DemoRow } from './report.ts';

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
export function spansChart(rows: readonly DemoRow[]): Html {
  return waterfallChart(
    rows.map(({ label, spans }) => ({
      label,
      mark: '',
      spans: spans.map(({ name, place, medianMs }) => ({ name, place, ms: medianMs })),
    })),
  );
}

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

function axis(labels: readonly AxisLabel[], unit: string): Html {
  return html`<div class="row axis"><div class="name"></div>${axisDrawing(labels)}<div class="value dim">${unit}</div></div>`;
}
