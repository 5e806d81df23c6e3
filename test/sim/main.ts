// `npm run sim`: many seeds over several processes -> figures, and for a seed that breaks a promise the way to see it again.
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readCommandLine, wholeNumber } from '../support/command-line.ts';
import { FAULT_KINDS, type FaultKind } from './fault-counts.ts';
import { runSeed, shrink } from './simulation.ts';

/** Seeds that a process runs before it tells. */
const CHUNK = 50;

/** Milliseconds between two lines about how far a long run has come. */
const PROGRESS_MS = 30_000;

interface Chunk {
  readonly first: number;
  readonly count: number;
}

interface ChunkResult {
  readonly failed: readonly { readonly seed: number; readonly violations: readonly string[] }[];
  readonly faults: readonly (readonly [FaultKind, number])[];
  readonly frames: number;
  readonly switches: number;
  readonly virtualMs: number;
  readonly seeds: number;
}

const { values } = readCommandLine({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    first: { type: 'string', default: '1' },
    processes: { type: 'string' },
  },
});

if (process.send !== undefined) serve();
else if (values.seed !== undefined) process.exitCode = await replay(wholeNumber('seed', values.seed));
else
  process.exitCode = await runMany(
    wholeNumber('first', values.first),
    wholeNumber('seeds', values.seeds),
    values.processes === undefined ? availableParallelism() : wholeNumber('processes', values.processes),
  );

async function runChunk({ first, count }: Chunk): Promise<ChunkResult> {
  const failed: { seed: number; violations: readonly string[] }[] = [];
  const faults = new Map<FaultKind, number>();
  let frames = 0;
  let switches = 0;
  let virtualMs = 0;
  for (let seed = first; seed < first + count; seed++) {
    const result = await runSeed(seed);
    if (result.violations.length > 0) failed.push({ seed, violations: result.violations });
    for (const [kind, times] of result.faults) faults.set(kind, (faults.get(kind) ?? 0) + times);
    frames += result.frames;
    switches += result.switches;
    virtualMs += result.virtualMs;
  }
  return { failed, faults: [...faults], frames, switches, virtualMs, seeds: count };
}

function serve(): void {
  process.on('message', (chunk: Chunk) => {
    void runChunk(chunk).then((result) => process.send?.(result));
  });
}

async function runMany(first: number, seeds: number, processes: number): Promise<number> {
  const startMs = performance.now();
  let saidMs = startMs;
  const total = { seeds: 0, frames: 0, switches: 0, virtualMs: 0, faults: new Map<FaultKind, number>() };
  const failed: ChunkResult['failed'][number][] = [];
  let next = first;
  const take = (): Chunk | null => {
    const count = Math.min(CHUNK, first + seeds - next);
    if (count <= 0) return null;
    next += count;
    return { first: next - count, count };
  };
  const add = (result: ChunkResult): void => {
    total.seeds += result.seeds;
    total.frames += result.frames;
    total.switches += result.switches;
    total.virtualMs += result.virtualMs;
    for (const [kind, times] of result.faults) total.faults.set(kind, (total.faults.get(kind) ?? 0) + times);
    for (const one of result.failed) {
      failed.push(one);
      console.log(`seed ${one.seed}: ${one.violations.join('; ')}`);
    }
    if (performance.now() - saidMs < PROGRESS_MS) return;
    saidMs = performance.now();
    console.error(`${total.seeds} of ${seeds} seeds, ${failed.length} with violations`);
  };
  const script = fileURLToPath(import.meta.url);
  await Promise.all(
    Array.from({ length: Math.min(processes, Math.ceil(seeds / CHUNK)) }, () => work(fork(script, []), take, add)),
  );
  const seconds = (performance.now() - startMs) / 1000;
  for (const kind of FAULT_KINDS) console.log(`${kind.padEnd(26)} ${String(total.faults.get(kind) ?? 0).padStart(9)}`);
  const faults = [...total.faults.values()].reduce((sum, count) => sum + count, 0);
  console.log(
    `${total.seeds} seeds, ${total.frames} parts, ${total.switches} changes of the route, ${faults} faults of ${total.faults.size} kinds, ` +
      `${(total.virtualMs / 3_600_000).toFixed(1)} simulated hours in ${seconds.toFixed(1)} s ` +
      `(${(total.seeds / seconds).toFixed(0)} seeds/s): ${failed.length} with violations`,
  );
  if (failed.length > 0) console.log(`see one again: npm run sim -- --seed ${failed[0]?.seed}`);
  return failed.length === 0 ? 0 : 1;
}

async function work(child: ChildProcess, take: () => Chunk | null, add: (result: ChunkResult) => void): Promise<void> {
  for (let chunk = take(); chunk !== null; chunk = take()) {
    const result = await new Promise<ChunkResult>((resolve, reject) => {
      child.once('message', (message) => resolve(message as ChunkResult));
      child.once('exit', (code) => reject(new Error(`a simulation process ended with code ${code}`)));
      child.send(chunk as Chunk);
    });
    child.removeAllListeners('exit');
    add(result);
  }
  child.disconnect();
}

async function replay(seed: number): Promise<number> {
  const whole = await runSeed(seed);
  const faults = whole.violations.length > 0 ? await shrink(seed) : undefined;
  const { lines, violations, hash, events } = await runSeed(seed, {
    keepsTrace: true,
    ...(faults === undefined ? {} : { faults }),
  });
  console.log(lines.join('\n'));
  console.log(`seed ${seed}: ${events} events, hash ${hash}`);
  if (faults !== undefined) console.log(`with ${faults.length} faults: ${faults.map(({ kind }) => kind).join(', ')}`);
  for (const violation of violations) console.log(`violation ${violation}`);
  return violations.length === 0 ? 0 : 1;
}
