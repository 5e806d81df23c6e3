// Every place where the model can be cut -> what a frame would take and what would cross there, along the model.
import { formatMs } from '../../page/format.ts';
import { type Html, html } from '../../page/html.ts';
import { formatTick, linearTicks, logScale, percent } from '../../page/ticks.ts';
import { FILLS } from '../../page/waterfall.ts';
import type { PlanCutRow, PlannedReport, PlanRow } from '../report.ts';
import { curve, plot, probe, stairs } from './plot.ts';
import { bytesText, count, scrolling, section, shortName } from './words.ts';

/** Columns of the drawing and rows of the table: more could neither be seen nor read. */
const MAX_COLUMNS = 400;
const TIME_HEIGHT = 240;
const BYTES_HEIGHT = 150;
/** Times above this multiple of the best cut leave the picture. */
const TALLEST = 3;

export function cutsSection(report: PlannedReport): Html {
  const columns = drawnCuts(report);
  if (columns.length === 0) {
    return section(
      { id: 'cuts', title: 'Where could it be cut?', note: '' },
      html`<p>This model has no place to cut.</p>`,
    );
  }
  const flag = flagOf(report, columns);
  const thinned =
    columns.length === report.cuts.length
      ? ''
      : ` Of ${count(report.cuts.length, 'cut')} the fastest of every ${Math.ceil(report.cuts.length / MAX_COLUMNS)} neighbours is drawn.`;
  return section(
    {
      id: 'cuts',
      title: 'Where could it be cut?',
      note: `Each column is one place to cut, from the model's input on the left to its output on the right. A cut further right gives the edge more to do and the cloud less.${thinned}`,
    },
    html`<figure class="figure cuts">${AREA_LEGEND}${timePlot(report, columns, flag)}${POINT_LEGEND}${bytesPlot(report, columns, flag)}${probe('cuts-table', columns.length, flag?.column ?? 0, 'Look at a cut')}</figure>
<details class="more"><summary>All cuts in numbers</summary>${cutsTable(columns, flag)}</details>`,
  );
}

/** All cuts, or the fastest of each group of neighbours: the one that the plan marks is never left out. */
export function drawnCuts(report: PlannedReport): readonly PlanCutRow[] {
  const { cuts } = report;
  if (cuts.length <= MAX_COLUMNS) return cuts;
  const marked = cutOf(report);
  const size = Math.ceil(cuts.length / MAX_COLUMNS);
  return Array.from({ length: Math.ceil(cuts.length / size) }, (_, group) => {
    const some = cuts.slice(group * size, (group + 1) * size);
    const fastest = some.reduce((best, cut) => (rank(cut) < rank(best) ? cut : best));
    return marked !== null && some.includes(marked) ? marked : fastest;
  });
}

function rank({ keeps, latencyMs, splitsFusion }: PlanCutRow): number {
  return latencyMs * (keeps ? 1 : 1e6) * (splitsFusion === null ? 1 : 1e3);
}

/** The split that the page marks: the choice, or the best one where the choice is no split. */
function markedSplit({ bestOf, choice }: PlannedReport): PlanRow | null {
  return choice.placement === 'split' ? choice : bestOf.split;
}

function cutOf(report: PlannedReport): PlanCutRow | null {
  const split = markedSplit(report);
  if (split === null) return null;
  const key = keyOf(split.tensors);
  return report.cuts.find(({ tensors, inputs }) => keyOf([...tensors, ...inputs]) === key) ?? null;
}

function keyOf(names: readonly string[]): string {
  return JSON.stringify([...names].sort());
}

interface Flag {
  readonly column: number;
  readonly text: string;
}

function flagOf(report: PlannedReport, columns: readonly PlanCutRow[]): Flag | null {
  const split = markedSplit(report);
  if (split === null) return null;
  const what = split === report.choice ? 'the choice' : 'best split';
  const cut = cutOf(report);
  if (cut !== null) return { column: columns.indexOf(cut), text: what };
  const near = columns.findIndex(({ headNodes }) => headNodes >= split.headNodes);
  return { column: near < 0 ? columns.length - 1 : near, text: `${what}, near here` };
}

const AREA_LEGEND: Html = html`<h3>Time of a frame</h3><p class="legend">${(
  [
    ['edge', 'head, on the edge'],
    ['link', 'link: uplink, round trip, answer'],
    ['cloud', 'tail, in the cloud'],
  ] as const
).map(
  ([place, text]) =>
    html`<span><svg width="22" height="12" aria-hidden="true"><rect width="22" height="12" fill="${FILLS[place]}"/></svg> ${text}</span> `,
)}<span><svg width="22" height="12" aria-hidden="true"><path d="M0 6H22" class="curve total"/></svg> all together</span></p>`;

const POINT_LEGEND: Html = html`<h3>Bytes that cross</h3><p class="legend"><span><svg width="14" height="12" aria-hidden="true"><circle cx="7" cy="6" r="3.5" class="mark-clean"/></svg> a clean cut</span> <span><svg width="14" height="12" aria-hidden="true"><circle cx="7" cy="6" r="3.5" class="mark-fused"/></svg> inside a fusion: possible, but slower than the sum says</span> <span><svg width="14" height="12" aria-hidden="true"><path d="M4 3l6 6m0-6l-6 6" class="mark-refused"/></svg> breaks a constraint</span></p>`;

function timePlot(report: PlannedReport, columns: readonly PlanCutRow[], flag: Flag | null): Html {
  const lines = [
    { row: report.bestOf.edge, text: 'edge only' },
    { row: report.bestOf.cloud, text: 'cloud only' },
  ];
  const best = Math.min(...columns.map(({ latencyMs }) => latencyMs));
  const computing = Math.max(...columns.map(({ headMs, tailMs }) => Math.max(headMs, tailMs)));
  const wholes = [report.bestOf.edge?.latencyMs ?? 0, report.bestOf.cloud?.latencyMs ?? 0].filter(
    (ms) => ms < best * TALLEST,
  );
  const wanted = Math.max(best * TALLEST, computing * 1.1, ...wholes);
  const ticks = linearTicks(Math.min(wanted, Math.max(...columns.map(({ latencyMs }) => latencyMs), computing)));
  const end = ticks.at(-1) ?? 1;
  const share = (ms: number): number => ms / end;
  const head = columns.map(({ headMs }) => share(headMs));
  const beforeTail = columns.map(({ latencyMs, tailMs }) => share(Math.max(0, latencyMs - tailMs)));
  const total = columns.map(({ latencyMs }) => share(latencyMs));
  const zero = columns.map(() => 0);
  const isCut = total.some((value) => value > 1.0001);
  const bars = [
    stairs('area-head', zero, head, TIME_HEIGHT, FILLS.edge),
    stairs('area-link', head, beforeTail, TIME_HEIGHT, FILLS.link),
    stairs('area-tail', beforeTail, total, TIME_HEIGHT, FILLS.cloud),
  ];
  return plot({
    height: TIME_HEIGHT,
    alternative: `Time of a frame at ${count(columns.length, 'cut')} along the model: ${formatMs(columns[0]?.latencyMs ?? 0)} ms at the first, ${formatMs(best)} ms at the best, ${formatMs(columns.at(-1)?.latencyMs ?? 0)} ms at the last`,
    yTicks: ticks.map((tick) => ({ share: tick / end, text: formatTick(tick) })),
    xTicks: [],
    yTitle: isCut ? `ms a frame (what is above ${formatTick(end)} ms leaves the picture)` : 'ms a frame',
    xTitle: '',
    behind: bars,
    curves: curve(
      total.flatMap((y, at) => [
        { x: at / total.length, y: Math.min(1, y) },
        { x: (at + 1) / total.length, y: Math.min(1, y) },
      ]),
      TIME_HEIGHT,
      'total',
    ),
    front: [...levels(lines, share), flagLine(flag, columns.length, TIME_HEIGHT, true)],
  });
}

/** Placements without a cut, as lines across. */
function levels(lines: readonly { row: PlanRow | null; text: string }[], share: (ms: number) => number): Html[] {
  let lastY = Number.NEGATIVE_INFINITY;
  return lines
    .flatMap(({ row, text }) => (row === null || share(row.latencyMs) > 1 ? [] : [{ row, text }]))
    .sort((left, right) => right.row.latencyMs - left.row.latencyMs)
    .map(({ row, text }) => {
      const y = Number((TIME_HEIGHT * (1 - share(row.latencyMs))).toFixed(1));
      const textY = Math.max(y - 5, lastY + 15);
      lastY = textY;
      return html`<line x1="0" x2="100%" y1="${y}" y2="${y}" class="level ${row.placement}"/><text x="100%" y="${textY}" dx="-6" text-anchor="end" class="figure-text halo">${text} ${formatMs(row.latencyMs)} ms</text>`;
    });
}

function flagLine(flag: Flag | null, columns: number, height: number, named: boolean): Html {
  if (flag === null) return html``;
  const x = (flag.column + 0.5) / columns;
  const [anchor, dx] = x > 0.6 ? ['end', -8] : ['start', 8];
  const text = named
    ? html`<text x="${percent(x)}" y="14" dx="${dx}" text-anchor="${anchor}" class="figure-text halo strong">${flag.text}</text>`
    : html``;
  return html`<line x1="${percent(x)}" x2="${percent(x)}" y1="0" y2="${height}" class="now"/>${text}`;
}

function bytesPlot(report: PlannedReport, columns: readonly PlanCutRow[], flag: Flag | null): Html {
  const whole = report.bestOf.cloud?.uplinkBytes ?? 0;
  const scale = logScale([...columns.map(({ uplinkBytes }) => uplinkBytes), whole]);
  const xOf = (at: number): number => (at + 0.5) / columns.length;
  const y = (bytes: number): number => Number((BYTES_HEIGHT * (1 - scale.share(bytes))).toFixed(1));
  const marks = columns.map((cut, at) => mark(cut, percent(xOf(at)), y(cut.uplinkBytes)));
  const level =
    whole > 0
      ? html`<line x1="0" x2="100%" y1="${y(whole)}" y2="${y(whole)}" class="level cloud"/><text x="100%" y="${y(whole) - 5}" dx="-6" text-anchor="end" class="figure-text halo">cloud only sends ${bytesText(whole)}</text>`
      : html``;
  const quarter = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const cut = columns[Math.min(columns.length - 1, Math.round(share * (columns.length - 1)))];
    return { share, text: String(cut?.headNodes ?? '') };
  });
  return plot({
    height: BYTES_HEIGHT,
    alternative: `Bytes on the uplink at each cut: ${bytesText(Math.min(...columns.map((cut) => cut.uplinkBytes)))} at the least, ${bytesText(Math.max(...columns.map((cut) => cut.uplinkBytes)))} at the most`,
    yTicks: scale.ticks.map((tick) => ({ share: scale.share(tick), text: bytesText(tick).replace('.0 ', ' ') })),
    xTicks: columns.length < 5 ? [] : quarter,
    yTitle: 'on the uplink (logarithmic)',
    xTitle: 'nodes on the edge',
    curves: curve(
      columns.map((cut, at) => ({ x: xOf(at), y: scale.share(cut.uplinkBytes) })),
      BYTES_HEIGHT,
      'thin',
    ),
    front: [level, ...marks, flagLine(flag, columns.length, BYTES_HEIGHT, false)],
  });
}

function mark({ keeps, splitsFusion }: PlanCutRow, x: string, y: number): Html {
  if (!keeps)
    return html`<svg x="${x}" y="${y}" overflow="visible"><path d="M-3-3l6 6m0-6l-6 6" class="mark-refused"/></svg>`;
  return html`<circle cx="${x}" cy="${y}" r="2.8" class="${splitsFusion === null ? 'mark-clean' : 'mark-fused'}"/>`;
}

function cutsTable(columns: readonly PlanCutRow[], flag: Flag | null): Html {
  const rows = columns.map((cut, at) => {
    const notes = [
      at === flag?.column ? flag.text : '',
      cut.splitsFusion === null ? '' : `inside ${cut.splitsFusion}`,
      cut.keeps ? '' : 'breaks a constraint',
    ].filter((note) => note !== '');
    const name = cut.label.replace(/^split at /, '');
    const source = [cut.source.edge, cut.source.cloud].includes('nodes') ? 'calculated' : 'measured';
    return html`<tr${at === flag?.column ? html` class="best"` : html``} data-at="${percent((at + 0.5) / columns.length)}"><th scope="row" title="${name}">${shortName(name)}</th><td>${cut.headNodes}</td><td>${formatMs(cut.headMs)} ms</td><td>${bytesText(cut.bytes)}</td><td>${bytesText(cut.uplinkBytes)}</td><td>${cut.codec}</td><td>${formatMs(cut.tailMs)} ms</td><td>${formatMs(cut.latencyMs)} ms</td><td>${source}</td><td>${notes.join(', ')}</td></tr>`;
  });
  return scrolling(
    'All cuts in numbers',
    html`<table id="cuts-table"><thead><tr><th scope="col">cut at</th><th scope="col">nodes on <br>the edge</th><th scope="col">head</th><th scope="col">tensors</th><th scope="col">sent</th><th scope="col">as</th><th scope="col">tail</th><th scope="col">frame</th><th scope="col">times are</th><th scope="col">note</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}
