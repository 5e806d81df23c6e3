// How far is placement at run time from the best fixed placement and from hindsight? Links that change, in simulated time.
import { controller, fixed, lastEstimate } from './adaptive/policies.ts';
import { recordedTraces } from './adaptive/recorded.ts';
import { light, type Subject, subject } from './adaptive/subject.ts';
import { type Trace, traces } from './adaptive/traces.ts';
import { type Policy, World } from './adaptive/world.ts';
import type { Bench, BenchRow } from './bench.ts';

const PERIOD_MS = 500;
const DEADLINE_MS = 1500;
const SEEDS = { short: 5, full: 40 };
/** Of seeds that nothing was ever tuned on. */
const HELD_OUT = 5_001;
const GOAL = 1.1;

export const adaptive: Bench = {
  name: 'adaptive',
  summary: 'latency of placement at run time against the best fixed placement and hindsight',
  async *run({ full, only }) {
    const count = full ? SEEDS.full : SEEDS.short;
    const over = (first: number, make: (seed: number) => Subject): Compared[] =>
      Array.from({ length: count }, (_, at) => first + at).flatMap((seed) => {
        const one = make(seed);
        return [...traces(seed), ...recordedTraces()].map((trace) => compare(one, trace, seed));
      });
    const results = over(1, subject);
    const names = [...new Set(results.map(({ trace }) => trace))];
    for (const name of names.filter((other) => only === null || other.includes(only))) {
      yield* rowsOf(
        name,
        results.filter(({ trace }) => trace === name),
      );
    }
    if (only !== null) return;
    yield* rowsOf('all traces', results);
    yield* rowsOf('all traces, held-out seeds', over(HELD_OUT, subject));
    yield* rowsOf('all traces, a quick device', over(1, light));
  },
};

interface Latencies {
  readonly mean: number;
  readonly p99: number;
}

interface Compared {
  readonly trace: string;
  readonly oracle: Latencies;
  readonly bestFixed: Latencies;
  readonly byPolicy: ReadonlyMap<string, Latencies>;
}

function compare({ routes, priors, truth, segmentMs }: Subject, trace: Trace, seed: number): Compared {
  const world = (): World => {
    return new World({
      trace,
      routes: truth,
      segmentMs,
      periodMs: PERIOD_MS,
      deadlineMs: DEADLINE_MS,
      seed: seed + 100,
    });
  };
  const run = (policy: Policy): Latencies =>
    latencies(
      world()
        .run(policy)
        .map(({ latencyMs }) => latencyMs),
    );
  const still = world();
  const frames = Math.floor((trace.seconds.length * 1000) / PERIOD_MS);
  const best = Array.from({ length: frames }, (_, at) => {
    return Math.min(...truth.map(({ name }) => still.unloadedMs(name, at * PERIOD_MS)));
  });
  const always = truth.map(({ name }) => ({ name, latencies: run(fixed(name)) }));
  const byMean = [...always].sort((left, right) => left.latencies.mean - right.latencies.mean);
  const policies: Policy[] = [
    controller(routes, segmentMs.length, priors, DEADLINE_MS),
    controller(routes, segmentMs.length, null, DEADLINE_MS),
    lastEstimate(routes, priors),
  ];
  const byPolicy = new Map(policies.map((policy) => [policy.name, run(policy)]));
  for (const { name, latencies: found } of always) {
    if (name === 'edge' || name === 'cloud') byPolicy.set(`always ${name}`, found);
  }
  return { trace: trace.name, oracle: latencies(best), bestFixed: byMean[0]?.latencies ?? latencies(best), byPolicy };
}

function latencies(ms: readonly number[]): Latencies {
  const sorted = [...ms].sort((left, right) => left - right);
  const mean = sorted.reduce((sum, one) => sum + one, 0) / sorted.length;
  return { mean, p99: sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Number.NaN };
}

/** Means over seeds of the ratio within each. */
function* rowsOf(trace: string, results: readonly Compared[]): Iterable<BenchRow> {
  const policies = [...(results[0]?.byPolicy.keys() ?? [])];
  const mean = (pick: (one: Compared) => number): number => {
    return results.reduce((sum, one) => sum + pick(one), 0) / results.length;
  };
  const row = (name: string, pick: (one: Compared) => Latencies): BenchRow[] => {
    const isOurs = name === 'kerf';
    const ratio = mean((one) => pick(one).mean / one.oracle.mean);
    const base = { bench: 'adaptive', unit: 'ms' };
    return [
      {
        ...base,
        case: `${trace}: ${name}, mean`,
        value: mean((one) => pick(one).mean),
        against: 'hindsight, mean',
        ratio,
        goal: isOurs ? `<= ${GOAL}` : null,
        met: isOurs ? ratio <= GOAL : null,
      },
      {
        ...base,
        case: `${trace}: ${name}, p99`,
        value: mean((one) => pick(one).p99),
        against: 'best fixed, p99',
        ratio: mean((one) => pick(one).p99 / one.bestFixed.p99),
        goal: null,
        met: null,
      },
    ];
  };
  yield* row('best fixed', (one) => one.bestFixed);
  for (const name of policies) yield* row(name, (one) => one.byPolicy.get(name) ?? one.bestFixed);
}
