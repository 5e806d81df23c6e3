// A device's profile -> lines for people: what ran, how long it took, and what the cuts cost.
import type { DeviceProfile, SegmentCost } from '@kerf/splitter';
import { printable } from '../commands/cuts.ts';
import { formatBytes, table } from '../units.ts';

/** Rows of the table; the file has all. */
const MAX_ROWS = 12;
/** Slowest nodes that are named. */
const SLOWEST = 3;
/** 99th percentile over median, beyond which the figures say more of the machine's other work than of the model. */
const SCATTER = 2;
/** Less than this between the two is the clock and the garbage collector. */
const MIN_SCATTER_MS = 0.5;

/** @param note why the crossing was not measured; null where it was, or was not asked for. */
export function profileSummary(profile: DeviceProfile, file: string | null, note: string | null): string[] {
  const { device, provider, threads, model } = profile;
  const count = threads === null ? '' : `, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return [
    `${model.file} on ${device.name}: ${provider}${count}`,
    `  inputs    ${inputsOf(profile)}`,
    `  whole     ${wholeOf(profile)}`,
    ...nodesOf(profile),
    ...crossingOf(profile, note),
    '',
    ...cutsOf(profile),
    ...scatterOf(profile),
    ...(file === null ? [] : ['', `profile written to ${file}`]),
  ];
}

function inputsOf({ inputShapes, values }: DeviceProfile): string {
  const dtypes = new Map(values.map(({ name, dtype }) => [name, dtype]));
  return Object.entries(inputShapes)
    .map(([name, shape]) => `${printable(name)} ${dtypes.get(name) ?? '?'}[${shape.join(', ')}]`)
    .join(', ');
}

function wholeOf({ wholeMs, wholeP99Ms }: DeviceProfile): string {
  const p99 = wholeP99Ms === null ? '' : `, 99th percentile ${milli(wholeP99Ms)} ms`;
  return `${wholeMs === null ? '?' : milli(wholeMs)} ms median${p99}`;
}

function nodesOf({ nodes, nodeTimesFrom }: DeviceProfile): string[] {
  if (nodeTimesFrom !== 'events') return ['  nodes     taken from differences of the cuts below'];
  if (nodes.length === 0) return ['  nodes     none depends on an input'];
  const slowest = [...nodes].sort((left, right) => right.ms - left.ms).slice(0, SLOWEST);
  const named = slowest.map(({ opType, name, ms }) => `${opType} ${printable(name)} ${milli(ms)} ms`);
  return [`  nodes     ${nodes.length} timed one by one; the slowest: ${named.join(', ')}`];
}

function crossingOf({ crossing }: DeviceProfile, note: string | null): string[] {
  if (crossing === null) return note === null ? [] : [`  crossing  not measured: ${note}`];
  const { perFrameMs, perMegabyteMs } = crossing;
  return [
    `  crossing  ${milli(perFrameMs)} ms a frame and ${milli(perMegabyteMs)} ms a megabyte beside the link ` +
      '(session, gateway, worker process; both ends on this machine)',
  ];
}

interface CutRow {
  readonly tensors: readonly string[];
  head: SegmentCost | null;
  tail: SegmentCost | null;
}

function cutsOf(profile: DeviceProfile): string[] {
  const rows = new Map<string, CutRow>();
  for (const segment of profile.segments) {
    const tensors = segment.head ?? segment.tail ?? [];
    const row = rows.get(JSON.stringify(tensors)) ?? { tensors, head: null, tail: null };
    rows.set(JSON.stringify(tensors), row);
    if (segment.head === null) row.tail = segment;
    else row.head = segment;
  }
  if (rows.size === 0) return ['no cut could be measured: the model has none that may be worth it'];
  const whole = profile.wholeMs ?? 0;
  const place = ({ head, tail }: CutRow): number => head?.ms ?? whole - (tail?.ms ?? 0);
  const sorted = [...rows.values()].sort((left, right) => place(left) - place(right));
  const bytes = new Map(profile.values.map((value) => [value.name, value.bytes]));
  const shown = spread(sorted, MAX_ROWS);
  const cells = shown.map(({ tensors, head, tail }) => [
    formatBytes(tensors.reduce((sum, name) => sum + (bytes.get(name) ?? 0), 0)),
    head === null ? '' : milli(head.ms),
    tail === null ? '' : milli(tail.ms),
    head === null || tail === null || whole === 0 ? '' : ((head.ms + tail.ms) / whole).toFixed(2),
    tensors.map(printable).join(' + '),
  ]);
  const some = shown.length < sorted.length ? `, ${shown.length} of them here` : '';
  return [
    `${sorted.length} ${sorted.length === 1 ? 'cut' : 'cuts'} measured${some}; head + tail over whole is what a cut costs in itself`,
    ...table([['bytes', 'head ms', 'tail ms', '/ whole', 'cut'], ...cells], [0, 1, 2, 3]),
  ];
}

/** Evenly spread, both ends among them. */
function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.round((at * (all.length - 1)) / (most - 1))] as T);
}

function scatterOf({ wholeMs, wholeP99Ms }: DeviceProfile): string[] {
  if (wholeMs === null || wholeP99Ms === null || wholeP99Ms <= SCATTER * wholeMs) return [];
  if (wholeP99Ms - wholeMs < MIN_SCATTER_MS) return [];
  return [
    '',
    `the runs scatter: 1 in 100 takes ${(wholeP99Ms / wholeMs).toFixed(1)} times the median. Something else uses this ` +
      'machine, or it changes its speed; profile again when it is quiet',
  ];
}

function milli(ms: number): string {
  return ms >= 100 ? ms.toFixed(0) : ms.toFixed(ms >= 1 ? 2 : 3);
}
