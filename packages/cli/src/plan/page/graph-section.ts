// A plan's graph -> its rows from input to output with their wires, repeats folded, and the cut as a line across the wires.
import { formatMs } from '../../page/format.ts';
import { type Html, html } from '../../page/html.ts';
import type { PlanGraphNode, PlannedReport } from '../report.ts';
import { type DrawnGraph, drawnGraph, type GraphItem } from './graph-items.ts';
import { type LaneRow, lanes, widthOf } from './graph-lanes.ts';
import { bytesText, count, section, shortName } from './words.ts';

const ROW = 30;
const LANE = 14;
/** Rows inside an opened fold, and tensors named at the cut. */
const MAX_INNER = 40;
const MAX_NAMED = 12;

export function graphSection(report: PlannedReport): Html {
  const drawn = drawnGraph(report.graph);
  const folds = drawn.items.filter(({ kind }) => kind !== 'node').length;
  const folded = folds === 0 ? '' : ' Rows with a triangle hold several nodes: open them to look inside.';
  return section(
    {
      id: 'graph',
      title: 'The model, from input to output',
      note: `Each row is a step of the model (a node); the wires on the left show which steps feed it. Squares run on the edge, circles in the cloud.${folded}`,
    },
    drawn.nodes.length === 0
      ? html`<p>This model computes nothing.</p>`
      : html`<div class="graph">${tableHead()}${graphRows(drawn, report)}</div>`,
  );
}

function tableHead(): Html {
  return html`<div class="g-row g-head" aria-hidden="true"><span class="g-rail"></span><span class="g-name">step</span><span class="g-bytes">gives</span><span class="g-ms">on the edge</span><span class="g-ms">in the cloud</span></div>`;
}

interface Drawing extends DrawnGraph {
  readonly report: PlannedReport;
  readonly sources: readonly (readonly number[])[];
  readonly rows: readonly LaneRow[];
  readonly width: number;
  readonly mostMs: number;
}

function graphRows(drawn: DrawnGraph, report: PlannedReport): Html[] {
  const { cutAt, items, nodes } = drawn;
  const sources = sourcesOf(items, nodes, 0);
  const rows = lanes(sources);
  const sums = items.map((item) => sumOf(nodes, item, 'edgeMs'));
  const drawing: Drawing = {
    ...drawn,
    report,
    sources,
    rows,
    width: widthOf(rows) * LANE + 10,
    mostMs: Math.max(...sums, 0),
  };
  const list: Html[] = [];
  if (cutAt > 0) list.push(sideHead(drawing, 'edge'));
  items.forEach((item, at) => {
    if (item.start === cutAt) list.push(cutRow(drawing, at), sideHead(drawing, 'cloud'));
    list.push(itemRow(drawing, item, at));
  });
  return list;
}

/** Rows that each row takes from: by the row that holds the node; what lies before `first` is left out. */
function sourcesOf(items: readonly GraphItem[], nodes: readonly PlanGraphNode[], first: number): number[][] {
  const rowOf = new Map<number, number>();
  items.forEach(({ start, end }, row) => {
    for (let at = start; at < end; at++) rowOf.set(at, row);
  });
  return items.map(({ start, end }, row) => {
    const found = new Set<number>();
    for (let at = start; at < end; at++) {
      for (const from of nodes[at]?.from ?? []) {
        const source = from < first ? undefined : rowOf.get(from);
        if (source !== undefined && source !== row) found.add(source);
      }
    }
    return [...found].sort((left, right) => left - right);
  });
}

function sumOf(nodes: readonly PlanGraphNode[], { start, end }: GraphItem, what: 'edgeMs' | 'cloudMs'): number {
  let sum = 0;
  for (let at = start; at < end; at++) sum += nodes[at]?.[what] ?? 0;
  return sum;
}

function sideHead({ cutAt, nodes, report }: Drawing, side: 'edge' | 'cloud'): Html {
  const number = side === 'edge' ? cutAt : nodes.length - cutAt;
  const device = side === 'edge' ? report.edge : report.cloud;
  return html`<h3 class="g-side ${side}">${side === 'edge' ? 'On the edge' : 'In the cloud'} <span class="dim">${count(number, 'node')}, ${device.name}</span></h3>`;
}

function itemRow(drawing: Drawing, item: GraphItem, at: number): Html {
  const { nodes, rows, width } = drawing;
  const lane = rows[at] as LaneRow;
  const rail = railOf(lane, width, sideOf(item, nodes), item.kind === 'node');
  const content = rowContent(drawing, item);
  if (item.kind === 'node') return html`<div class="g-row ${sideOf(item, nodes)}">${rail}${content}</div>`;
  return html`<details class="g-fold ${sideOf(item, nodes)}"><summary class="g-row">${rail}${content}</summary>${inside(drawing, item, lane)}</details>`;
}

function sideOf({ start }: GraphItem, nodes: readonly PlanGraphNode[]): 'edge' | 'cloud' {
  return nodes[start]?.onEdge === true ? 'edge' : 'cloud';
}

function rowContent({ mostMs, nodes }: Drawing, item: GraphItem): Html {
  const edgeMs = sumOf(nodes, item, 'edgeMs');
  const cloudMs = sumOf(nodes, item, 'cloudMs');
  const last = nodes[item.end - 1];
  const side = sideOf(item, nodes);
  const width = mostMs > 0 ? Math.max(0, (edgeMs / mostMs) * 100) : 0;
  const ms = (place: 'edge' | 'cloud', value: number): Html =>
    html`<span class="g-ms${place === side ? ' runs' : ''}"><span class="g-place">${place} </span>${formatNodeMs(value)} ms</span>`;
  return html`<span class="g-name">${nameOf(item, nodes)}</span><span class="g-bar" aria-hidden="true"><span class="fill" style="width:${width.toFixed(1)}%"></span></span><span class="g-bytes">${bytesText(last?.bytes ?? null)}</span>${ms('edge', edgeMs)}${ms('cloud', cloudMs)}`;
}

function formatNodeMs(ms: number): string {
  return ms > 0 && ms < 0.095 ? ms.toFixed(ms < 0.0095 ? 3 : 2) : formatMs(ms);
}

function nameOf(item: GraphItem, nodes: readonly PlanGraphNode[]): Html {
  const first = nodes[item.start];
  if (item.kind === 'node') {
    return html`<b>${first?.opType ?? ''}</b> <span class="dim" title="${first?.name ?? ''}">${shortName(first?.name ?? '', 48)}</span>`;
  }
  const size = item.end - item.start;
  if (item.kind === 'repeat') {
    const times = size / item.period;
    return html`<b>${times} × block of ${count(item.period, 'node')}</b> <span class="dim">${operators(nodes, item.start, item.start + item.period)}</span>`;
  }
  return html`<b>${count(size, 'node')}</b> <span class="dim">${operators(nodes, item.start, item.end)}</span>`;
}

/** The operators of some nodes, the most frequent first: `Conv 12, Relu 11, Add 3`. */
function operators(nodes: readonly PlanGraphNode[], start: number, end: number): string {
  const counts = new Map<string, number>();
  for (const { opType } of nodes.slice(start, end)) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  const sorted = [...counts].sort((left, right) => right[1] - left[1]);
  const named = sorted.slice(0, 5).map(([op, number]) => (number === 1 ? op : `${number} ${op}`));
  return [...named, ...(sorted.length > 5 ? ['…'] : [])].join(', ');
}

/** The wires of a row and its mark: a square on the edge, a circle in the cloud, larger for what holds several nodes. */
function railOf(lane: LaneRow, width: number, side: 'edge' | 'cloud', isNode: boolean): Html {
  const middle = ROW / 2;
  const wires = lane.passing.map((at) => html`<path d="M${xOf(at)} 0V${ROW}" class="wire"/>`);
  const entering = lane.sources.map(({ lane: from }) =>
    from === lane.own
      ? html`<path d="M${xOf(from)} 0V${middle}" class="wire"/>`
      : html`<path d="M${xOf(from)} 0C${xOf(from)} ${middle} ${xOf(lane.own)} 0 ${xOf(lane.own)} ${middle}" class="wire"/>`,
  );
  const leaving = lane.leaves ? html`<path d="M${xOf(lane.own)} ${middle}V${ROW}" class="wire"/>` : html``;
  const size = isNode ? 5 : 7;
  const x = xOf(lane.own);
  const mark =
    side === 'edge'
      ? html`<rect x="${x - size}" y="${middle - size}" width="${2 * size}" height="${2 * size}" class="g-mark edge"/>`
      : html`<circle cx="${x}" cy="${middle}" r="${size + 0.5}" class="g-mark cloud"/>`;
  const plus = isNode ? html`` : html`<path d="M${x - 3.5} ${middle - 2}l3.5 4 3.5-4z" class="g-more"/>`;
  return html`<svg class="g-rail" width="${width}" height="${ROW}" aria-hidden="true">${wires}${entering}${leaving}${mark}${plus}</svg>`;
}

function xOf(lane: number): number {
  return 10 + lane * LANE;
}

/** What a fold holds: one block of a repeat or the nodes of a stretch, beside the wires that pass it. */
function inside(drawing: Drawing, item: GraphItem, lane: LaneRow): Html {
  const { nodes, width } = drawing;
  const end = Math.min(
    item.start + (item.kind === 'repeat' ? item.period : MAX_INNER),
    item.end,
    item.start + MAX_INNER,
  );
  const items: GraphItem[] = Array.from({ length: end - item.start }, (_, at) => ({
    kind: 'node',
    start: item.start + at,
    end: item.start + at + 1,
    period: 1,
  }));
  const sources = sourcesOf(items, nodes, item.start);
  const rows = lanes(sources);
  const inner: Drawing = { ...drawing, items, sources, rows, width: widthOf(rows) * LANE + 10 };
  const below = [...new Set([...lane.passing, ...(lane.leaves ? [lane.own] : [])])];
  const wires = below.map((at) => html`<line x1="${xOf(at)}" x2="${xOf(at)}" y1="0" y2="100%" class="wire"/>`);
  const left = (item.kind === 'repeat' ? item.start + item.period : item.end) - end;
  const rest = left > 0 ? html`<p class="note">and ${count(left, 'node')} more</p>` : html``;
  const title =
    item.kind === 'repeat'
      ? html`<p class="note">The first of ${(item.end - item.start) / item.period}; the others have the same operators, wired alike.</p>`
      : html``;
  const all = item.kind === 'repeat' ? repetitions(drawing, item) : html``;
  return html`<div class="g-inside" style="padding-left:${width}px"><svg class="g-pass" width="${width}" height="100%" aria-hidden="true">${wires}</svg><div class="g-inner">${title}${items.map((one, at) => itemRow(inner, one, at))}${rest}${all}</div></div>`;
}

/** Each repetition with its last node, time and bytes. */
function repetitions({ nodes }: Drawing, { start, end, period }: GraphItem): Html {
  const times = (end - start) / period;
  const shown = Math.min(times, MAX_INNER);
  const side = nodes[start]?.onEdge === true ? 'edgeMs' : 'cloudMs';
  const lines = Array.from({ length: shown }, (_, block) => {
    const from = start + block * period;
    const last = nodes[from + period - 1];
    const ms = sumOf(nodes, { kind: 'repeat', start: from, end: from + period, period }, side);
    return html`<li>${block + 1}. to <span class="dim" title="${last?.name ?? ''}">${shortName(last?.name ?? '', 30)}</span> ${formatNodeMs(ms)} ms, ${bytesText(last?.bytes ?? null)}</li>`;
  });
  const rest = times > shown ? html`<li>and ${times - shown} more</li>` : html``;
  return html`<ol class="g-times">${lines}${rest}</ol>`;
}

/** The cut: a line across the wires, with what crosses there. */
function cutRow({ report, rows, sources, width }: Drawing, at: number): Html {
  const { choice } = report;
  const crossing = new Set<number>();
  for (let row = at; row < sources.length; row++) {
    for (const source of sources[row] ?? []) if (source < at) crossing.add(rows[source]?.own ?? 0);
  }
  const wires = [...crossing].map(
    (lane) => html`<line x1="${xOf(lane)}" x2="${xOf(lane)}" y1="0" y2="100%" class="wire"/>`,
  );
  const named = choice.tensors.slice(0, MAX_NAMED).map((name, place) => {
    const bytes = choice.tensorBytes[place];
    return html`<li><code title="${name}">${shortName(name, 60)}</code> <b>${bytesText(bytes ?? null)}</b></li>`;
  });
  const left = choice.tensors.length - named.length;
  const more = left > 0 ? html`<li>and ${left} more</li>` : html``;
  const title = choice.placement === 'split' ? 'The cut' : 'Everything crosses before the first step';
  return html`<div class="g-cut" style="padding-left:${width + 6}px"><svg class="g-pass" width="${width}" height="100%" aria-hidden="true">${wires}</svg><p><b class="g-cut-title">${title}</b> ${bytesText(choice.uplinkBytes)} a frame go up the link as ${choice.codec}:</p><ul>${named}${more}</ul></div>`;
}
