// What edges told and sinks got under faults -> what was lost, doubled or wrong, and how long it took.

/** What befell, and when it was over. */
export interface Fault {
  readonly kind: string;
  readonly atMs: number;
  endMs: number;
}

export interface EdgeStory {
  readonly told: string;
  readonly sink: string;
  readonly exitCode: number | null;
}

export interface ChaosReport {
  /** Broken promises; empty when all were kept. */
  readonly violations: readonly string[];
  readonly faults: ReadonlyMap<string, number>;
  /** Parts with a final record at their sink. */
  readonly parts: number;
  readonly frames: { readonly cloud: number; readonly edge: number; readonly unanswered: number };
  /** Of frames that the cloud answered, milliseconds. */
  readonly calmP99Ms: number | null;
  readonly faultyP99Ms: number | null;
  /** From the end of a fault, no other being under way then, to the next answer of the cloud to any edge. */
  readonly recoveryMs: { readonly median: number; readonly p99: number } | null;
}

interface Frame {
  readonly atMs: number;
  readonly tookMs: number;
  readonly place: 'split' | 'edge' | 'failed';
}

export function judge(run: {
  readonly edges: readonly EdgeStory[];
  readonly faults: readonly Fault[];
  readonly calmFromMs: number;
  readonly calmMs: number;
}): ChaosReport {
  const violations: string[] = [];
  let parts = 0;
  for (const [number, edge] of run.edges.entries()) parts += judgeEdge(number, edge, violations);
  const frames = run.edges.flatMap(({ told }) => framesOf(told)).sort((a, b) => a.atMs - b.atMs);
  const answered = frames.filter(({ place }) => place === 'split');
  const calmEndMs = run.calmFromMs + run.calmMs;
  const calm = answered.filter(({ atMs }) => atMs >= run.calmFromMs && atMs < calmEndMs);
  const lastMs = Math.max(0, ...run.faults.map(({ endMs }) => endMs));
  const faulty = answered.filter(({ atMs }) => atMs >= calmEndMs && atMs <= lastMs);
  const isCovered = (endMs: number): boolean => run.faults.some((other) => other.atMs < endMs && endMs < other.endMs);
  const recoveries = run.faults.flatMap(({ endMs }) => {
    if (isCovered(endMs)) return [];
    const next = answered.find(({ atMs }) => atMs >= endMs);
    return next === undefined ? [] : [next.atMs - endMs];
  });
  const counts = new Map<string, number>();
  for (const { kind } of run.faults) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const count = (place: Frame['place']): number => frames.filter((frame) => frame.place === place).length;
  return {
    violations,
    faults: counts,
    parts,
    frames: { cloud: count('split'), edge: count('edge'), unanswered: count('failed') },
    calmP99Ms: quantile(
      calm.map(({ tookMs }) => tookMs),
      0.99,
    ),
    faultyP99Ms: quantile(
      faulty.map(({ tookMs }) => tookMs),
      0.99,
    ),
    recoveryMs:
      recoveries.length === 0 ? null : { median: quantile(recoveries, 0.5) ?? 0, p99: quantile(recoveries, 0.99) ?? 0 },
  };
}

/** @returns parts with a final record. */
function judgeEdge(number: number, { told, sink, exitCode }: EdgeStory, violations: string[]): number {
  if (exitCode !== 0) violations.push(`edge ${number} ended with ${exitCode}`);
  for (const [, key] of told.matchAll(/^wrong (\S+)$/gm)) violations.push(`${key} got the answer of another`);
  const end = /^end (\d+) (\w+)$/m.exec(told);
  if (end?.[1] !== '0' || end[2] !== 'true') violations.push(`edge ${number} did not finish: ${end?.[0] ?? 'no end'}`);
  const lines = sink.split('\n').filter((line) => line !== '');
  const seen = new Set<string>();
  const finals = new Map<string, number>();
  const ids = new Set<string>();
  for (const line of lines) {
    const [key = '', kind] = line.split(' ');
    const id = key.split('#')[0] as string;
    ids.add(id);
    if (seen.has(key)) violations.push(`the sink has ${key} twice`);
    seen.add(key);
    if (kind === 'final') finals.set(id, (finals.get(id) ?? 0) + 1);
  }
  for (const [, key = ''] of told.matchAll(/^safe (\S+)$/gm)) {
    if (!seen.has(key)) violations.push(`${key} was safe and is lost`);
  }
  for (const id of ids) {
    const count = finals.get(id) ?? 0;
    if (count !== 1) violations.push(`${id} has ${count} final records`);
  }
  return finals.size;
}

function framesOf(told: string): Frame[] {
  return [...told.matchAll(/^frame (\d+) ([\d.]+) (split|edge|failed)$/gm)].map(
    ([, atMs, tookMs, place]): Frame => ({
      atMs: Number(atMs),
      tookMs: Number(tookMs),
      place: place as Frame['place'],
    }),
  );
}

function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
}
