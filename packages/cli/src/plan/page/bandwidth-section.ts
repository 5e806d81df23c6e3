// Latency of the best of each placement against the uplink -> curves, who reigns where, and the points between.
import { formatMs, formatRate } from '../../page/format.ts';
import { type Html, html } from '../../page/html.ts';
import { logScale, percent } from '../../page/ticks.ts';
import { FILLS } from '../../page/waterfall.ts';
import type { PlannedReport } from '../report.ts';
import { curve, type Point, plot, probe } from './plot.ts';
import { PLACEMENT_NAMES, type Placement, scrolling, section } from './words.ts';

const HEIGHT = 320;
const PLACEMENTS = ['edge', 'split', 'cloud'] as const;
/** Cross-over points nearer than this share of the width share a line of text badly. */
const ROOM = 0.13;

export function bandwidthSection(report: PlannedReport): Html {
  const { curve: data } = report;
  if (data.uplinkBitsPerSecond.length < 2) return html``;
  const rates = data.uplinkBitsPerSecond;
  const x = rangeScale(rates[0] ?? 1, rates.at(-1) ?? 10);
  const series = { edge: data.edgeMs, split: data.splitMs, cloud: data.cloudMs };
  const times = Object.values(series).flatMap((list) => list.flatMap((ms) => ms ?? []));
  // The band at the bottom lies below the least time.
  const y = logScale([...times, Math.min(...times) * 0.7]);
  const pointsOf = (placement: Placement): (Point | null)[] =>
    series[placement].map((ms, at) => (ms === null ? null : { x: x.share(rates[at] ?? 1), y: y.share(ms) }));
  const curves = PLACEMENTS.map((placement) => curve(pointsOf(placement), HEIGHT, placement));
  const spans = reignSpans(report, x);
  const drawing = plot({
    height: HEIGHT,
    alternative: alternativeOf(report),
    yTicks: y.ticks.map((tick) => ({ share: y.share(tick), text: formatTickMs(tick) })),
    xTicks: x.ticks.map((tick) => ({ share: x.share(tick), text: formatRate(tick).replace('bit/s', '') })),
    yTitle: 'ms a frame (logarithmic)',
    xTitle: 'uplink, bit/s (logarithmic)',
    behind: spans.map(reignBand),
    curves,
    front: [...crossings(spans), statedUplink(report, x)],
  });
  const start = rates.findIndex((rate) => rate >= report.link.uplinkBitsPerSecond);
  return section(
    {
      id: 'bandwidth',
      title: 'How fast must the link be?',
      note: html`The best of each placement for every uplink, all else as stated. Lower is better; the band at the bottom shows who is best where.`,
    },
    html`<figure class="figure">${LINE_LEGEND}${drawing}${probe('bandwidth-table', rates.length, Math.max(0, start), 'Look at an uplink')}</figure>
${reignList(report)}
<details class="more"><summary>The curves in numbers</summary>${curveTable(report, x.share)}</details>`,
  );
}

/** A logarithmic axis that ends where the data ends. */
function rangeScale(least: number, most: number): { ticks: number[]; share: (value: number) => number } {
  const span = Math.log10(most / least) || 1;
  const share = (value: number): number => Math.min(1, Math.max(0, Math.log10(value / least) / span));
  return {
    ticks: logScale([least, most]).ticks.filter((tick) => tick >= least * 0.999 && tick <= most * 1.001),
    share,
  };
}

function formatTickMs(ms: number): string {
  return ms >= 1000 ? `${Number((ms / 1000).toPrecision(3))} s` : String(Number(ms.toPrecision(3)));
}

const LINE_LEGEND: Html = html`<p class="legend lines">${PLACEMENTS.map(
  (placement) =>
    html`<span><svg width="34" height="12" aria-hidden="true"><path d="M0 6H34" class="curve ${placement}"/></svg> ${placement === 'split' ? 'best split' : PLACEMENT_NAMES[placement]}</span> `,
)}</p>`;

interface ReignSpan {
  readonly placement: Placement;
  readonly label: string;
  readonly fromRate: number;
  readonly toRate: number | null;
  readonly start: number;
  readonly end: number;
}

function reignSpans({ curve: { reigns } }: PlannedReport, x: { share: (value: number) => number }): ReignSpan[] {
  return reigns.map(({ fromBitsPerSecond, label, placement }, at) => {
    const next = reigns[at + 1]?.fromBitsPerSecond ?? null;
    const end = next === null ? 1 : x.share(next);
    return { placement, label, fromRate: fromBitsPerSecond, toRate: next, start: x.share(fromBitsPerSecond), end };
  });
}

const REIGN_FILLS = { edge: FILLS.edge, cloud: FILLS.cloud, split: 'url(#stripes-split)' } as const;

function reignBand({ placement, start, end }: ReignSpan): Html {
  const [from, width] = [percent(start), percent(end - start)];
  return html`<rect x="${from}" y="0" width="${width}" height="${HEIGHT}" class="reign ${placement}"/><rect x="${from}" y="${HEIGHT - 12}" width="${width}" height="12" fill="${REIGN_FILLS[placement]}" class="segment"/>`;
}

/** Where another placement takes over: a line with its value. Another split in place of a split: a short line. */
function crossings(spans: readonly ReignSpan[]): Html[] {
  let lastShare = Number.NEGATIVE_INFINITY;
  let row = 0;
  return spans.slice(1).map((span, at) => {
    const at100 = percent(span.start);
    if (spans[at]?.placement === span.placement) {
      return html`<line x1="${at100}" x2="${at100}" y1="${HEIGHT - 18}" y2="${HEIGHT}" class="takeover"/>`;
    }
    row = span.start - lastShare < ROOM ? (row + 1) % 3 : 0;
    lastShare = span.start;
    const [anchor, dx] = span.start > 0.8 ? ['end', -6] : ['start', 6];
    const y = HEIGHT - 24 - row * 17;
    return html`<line x1="${at100}" x2="${at100}" y1="0" y2="${HEIGHT}" class="takeover"/><text x="${at100}" y="${y}" dx="${dx}" text-anchor="${anchor}" class="figure-text halo">${formatRate(span.fromRate)}</text>`;
  });
}

function statedUplink({ link }: PlannedReport, x: { share: (value: number) => number }): Html {
  const share = x.share(link.uplinkBitsPerSecond);
  const [anchor, dx] = share > 0.6 ? ['end', -8] : ['start', 8];
  const how = link.date === null ? 'stated' : 'measured';
  return html`<line x1="${percent(share)}" x2="${percent(share)}" y1="0" y2="${HEIGHT}" class="now"/><text x="${percent(share)}" y="12" dx="${dx}" text-anchor="${anchor}" class="figure-text halo strong">now: ${formatRate(link.uplinkBitsPerSecond)} (${how})</text>`;
}

function alternativeOf(report: PlannedReport): string {
  const parts = report.curve.reigns.map(
    ({ fromBitsPerSecond, label }, at) => `${at === 0 ? 'at first' : `from ${formatRate(fromBitsPerSecond)}`} ${label}`,
  );
  return `Latency against the uplink. The best is ${parts.join(', ')}.`;
}

/** Reigns shown at once; the rest is behind a fold. */
const LISTED = 8;

function reignList(report: PlannedReport): Html {
  const now = report.link.uplinkBitsPerSecond;
  const first = report.curve.uplinkBitsPerSecond[0] ?? 0;
  const start = report.curve.reigns[0]?.fromBitsPerSecond ?? first;
  const none = start > first ? html`<p>Below ${formatRate(start)} nothing keeps the constraints.</p>` : html``;
  const items = report.curve.reigns.map(({ fromBitsPerSecond: from, label, placement }, at, all) => {
    const to = all[at + 1]?.fromBitsPerSecond;
    const isNow = (now >= from || (at === 0 && from <= first)) && (to === undefined || now < to);
    const range =
      at === 0 && from <= first
        ? to === undefined
          ? 'at every uplink'
          : `below ${formatRate(to)}`
        : to === undefined
          ? `from ${formatRate(from)} on`
          : `${formatRate(from)} to ${formatRate(to)}`;
    const mark = isNow ? html` <span class="mark">now</span>` : html``;
    return html`<li><svg width="16" height="12" aria-hidden="true" class="swatch"><rect width="16" height="12" fill="${REIGN_FILLS[placement]}"/></svg><span class="range">${range}</span><span><b>${label}</b>${mark}</span></li>`;
  });
  if (items.length === 0) return html`<p>No placement keeps the constraints at any uplink.</p>`;
  const more = items.slice(LISTED);
  const rest =
    more.length === 0
      ? html``
      : html`<details class="more"><summary>${more.length} more</summary><ol class="reigns">${more}</ol></details>`;
  return html`<h3>Who is best where</h3>${none}<ol class="reigns">${items.slice(0, LISTED)}</ol>${rest}`;
}

function curveTable(report: PlannedReport, share: (value: number) => number): Html {
  const { uplinkBitsPerSecond, edgeMs, splitMs, cloudMs } = report.curve;
  const cell = (ms: number | null | undefined): Html =>
    html`<td>${ms === null || ms === undefined ? '–' : `${formatMs(ms)} ms`}</td>`;
  const rows = uplinkBitsPerSecond.map(
    (rate, at) =>
      html`<tr data-at="${percent(share(rate))}"><th scope="row">${formatRate(rate)}</th>${cell(edgeMs[at])}${cell(splitMs[at])}${cell(cloudMs[at])}</tr>`,
  );
  return scrolling(
    'Latency against the uplink',
    html`<table id="bandwidth-table"><thead><tr><th scope="col">uplink</th><th scope="col">edge only</th><th scope="col">best split</th><th scope="col">cloud only</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}
