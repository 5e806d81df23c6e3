// Placements that none beats in latency, bytes, cloud time and loss at once -> a chart and a table of what can be traded.
import { formatMs } from '../../page/format.ts';
import { type Html, html } from '../../page/html.ts';
import { logScale, percent } from '../../page/ticks.ts';
import type { PlannedReport, PlanRow } from '../report.ts';
import { plot } from './plot.ts';
import { bytesText, count, scrolling, section } from './words.ts';

/** Rows of the table and marks of the chart. */
const MAX_SHOWN = 24;
const HEIGHT = 300;
/** What sends nothing has its own place left of a logarithmic axis. */
const NOTHING_AT = 0.05;
const FIRST_AT = 0.12;

export function frontSection(report: PlannedReport): Html {
  const shown = shownRows(report);
  if (shown.length === 0) return html``;
  const [only, second] = shown;
  if (only !== undefined && second === undefined) {
    const text = html`<p><b>${only.label}</b> is the best in latency, bytes, cloud time and accuracy at once: there is nothing to trade.</p>`;
    return section({ id: 'front', title: 'What could be traded?', note: '' }, text);
  }
  const left = report.front.length - shown.length;
  const more = left > 0 ? ` ${left} more lie between those shown; the JSON output has them all.` : '';
  const title = 'What could be traded?';
  const note = `${count(report.front.length, 'placement')} that no other beats in latency, bytes, cloud time and accuracy at once: to gain in one of them from here is to lose in another.${more}`;
  return section(
    { id: 'front', title, note },
    html`<figure class="figure">${LEGEND}${chart(shown, report)}</figure>${frontTable(shown, report)}`,
  );
}

/** The whole front, or an even choice of it with its ends and the choice. */
function shownRows({ choice, front }: PlannedReport): readonly PlanRow[] {
  if (front.length <= MAX_SHOWN) return front;
  const step = (front.length - 1) / (MAX_SHOWN - 1);
  const picked = new Set(Array.from({ length: MAX_SHOWN }, (_, at) => front[Math.round(at * step)]));
  return front.filter((row) => picked.has(row) || row.label === choice.label);
}

const LEGEND: Html = html`<p class="legend"><span><svg width="16" height="14" aria-hidden="true"><rect x="2" y="1" width="12" height="12" class="dot edge"/></svg> edge only</span> <span><svg width="16" height="14" aria-hidden="true"><circle cx="8" cy="7" r="6.5" class="dot split"/></svg> split</span> <span><svg width="16" height="14" aria-hidden="true"><path d="M8 0l7 7-7 7-7-7z" class="dot cloud"/></svg> cloud only</span> <span class="dim">A larger mark takes more of the cloud. Numbers as in the table.</span></p>`;

function chart(rows: readonly PlanRow[], { choice }: PlannedReport): Html {
  const x = logScale(rows.map(({ uplinkBytes }) => uplinkBytes));
  const y = logScale(rows.map(({ latencyMs }) => latencyMs));
  const xOf = (bytes: number): number => (bytes > 0 ? FIRST_AT + x.share(bytes) * (0.96 - FIRST_AT) : NOTHING_AT);
  const yOf = (ms: number): number => 0.06 + y.share(ms) * 0.88;
  const most = Math.max(...rows.map(({ cloudMs }) => cloudMs));
  const marks = rows.map((row, at) => {
    const radius = 9 + (most > 0 ? 8 * Math.sqrt(row.cloudMs / most) : 0);
    const isChoice = row.label === choice.label;
    const shape = { edge: square, cloud: diamond, split: disc }[row.placement](radius, isChoice);
    return html`<svg x="${percent(xOf(row.uplinkBytes))}" y="${(HEIGHT * (1 - yOf(row.latencyMs))).toFixed(1)}" overflow="visible">${shape}<text y="4" class="dot-number">${at + 1}</text></svg>`;
  });
  const hasNothing = rows.some(({ uplinkBytes }) => uplinkBytes === 0);
  const hasBytes = rows.some(({ uplinkBytes }) => uplinkBytes > 0);
  const bytesTicks = hasBytes
    ? x.ticks.map((tick) => ({ share: xOf(tick), text: bytesText(tick).replace('.0 ', ' ') }))
    : [];
  return plot({
    height: HEIGHT,
    alternative: `${count(rows.length, 'placement')} by bytes and latency; the table below has the same numbers`,
    yTicks: y.ticks.map((tick) => ({ share: yOf(tick), text: String(Number(tick.toPrecision(3))) })),
    xTicks: [...(hasNothing ? [{ share: NOTHING_AT, text: 'nothing' }] : []), ...bytesTicks],
    yTitle: 'ms a frame (logarithmic)',
    xTitle: 'sent a frame (logarithmic)',
    // Small marks last, so that none is hidden.
    front: marks
      .map((mark, at) => ({ mark, row: rows[at] as PlanRow }))
      .sort((left, right) => right.row.cloudMs - left.row.cloudMs)
      .map(({ mark }) => mark),
  });
}

function kind(placement: string, isChoice: boolean): string {
  return `dot ${placement}${isChoice ? ' chosen' : ''}`;
}
function square(radius: number, isChoice: boolean): Html {
  const side = radius * 0.9;
  return html`<rect x="${-side}" y="${-side}" width="${2 * side}" height="${2 * side}" class="${kind('edge', isChoice)}"/>`;
}
function disc(radius: number, isChoice: boolean): Html {
  return html`<circle r="${radius.toFixed(1)}" class="${kind('split', isChoice)}"/>`;
}
function diamond(radius: number, isChoice: boolean): Html {
  const half = (radius * 1.2).toFixed(1);
  return html`<path d="M0-${half}L${half} 0L0 ${half}L-${half} 0Z" class="${kind('cloud', isChoice)}"/>`;
}

function frontTable(rows: readonly PlanRow[], { choice, front }: PlannedReport): Html {
  const best = {
    latency: Math.min(...front.map((row) => row.latencyMs)),
    bytes: Math.min(...front.map((row) => row.uplinkBytes)),
    cloud: Math.min(...front.map((row) => row.cloudMs)),
  };
  const cell = (text: string, isBest: boolean): Html =>
    isBest ? html`<td><b>${text}</b> <span class="least">least</span></td>` : html`<td>${text}</td>`;
  const lines = rows.map((row, at) => {
    const isChoice = row.label === choice.label;
    const badge = isChoice ? html` <span class="mark">the choice</span>` : html``;
    return html`<tr${isChoice ? html` class="best"` : html``}><td>${at + 1}</td><th scope="row">${row.label}${badge}</th>${cell(`${formatMs(row.latencyMs)} ms`, row.latencyMs === best.latency)}${cell(row.uplinkBytes === 0 ? 'nothing' : bytesText(row.uplinkBytes), row.uplinkBytes === best.bytes)}${cell(`${formatMs(row.cloudMs)} ms`, row.cloudMs === best.cloud)}<td>${lossText(row.loss)}</td></tr>`;
  });
  return scrolling(
    'What could be traded',
    html`<table class="front"><thead><tr><th scope="col">no.</th><th scope="col">placement</th><th scope="col">frame</th><th scope="col">sent</th><th scope="col">cloud time</th><th scope="col">loss, points</th></tr></thead><tbody>${lines}</tbody></table>`,
  );
}

function lossText(loss: number | null): string {
  if (loss === null) return 'not known';
  return loss === 0 ? 'none' : String(Number(loss.toFixed(2)));
}
