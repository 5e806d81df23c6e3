// What runners report -> the protocol's statistics of each release, as perf_analyzer reads them.

import type { Release } from '../models/catalog.ts';
import type { FrameOutcome } from '../models/frame-task.ts';

interface Duration {
  count: number;
  ns: number;
}

interface BatchStatistics {
  readonly compute_input: Duration;
  readonly compute_infer: Duration;
  readonly compute_output: Duration;
}

const STATISTICS = ['success', 'fail', 'queue', 'compute_input', 'compute_infer', 'compute_output'] as const;
type Statistic = (typeof STATISTICS)[number];

/** Batch sizes that are told apart. */
const MAX_BATCH_SIZES = 1024;

/** Counters of one release since the cloud was started. */
export class ReleaseStatistics {
  readonly #wallNowMs: () => number;
  readonly #durations = new Map<Statistic, Duration>(STATISTICS.map((name) => [name, { count: 0, ns: 0 }]));
  readonly #batches = new Map<number, BatchStatistics>();
  #lastInferenceMs = 0;
  #rows = 0;
  #executions = 0;

  constructor(wallNowMs: () => number) {
    this.#wallNowMs = wallNowMs;
  }

  ran(rows: number, decodeMs: number, computeMs: number): void {
    this.#executions++;
    this.#rows += rows;
    this.#lastInferenceMs = this.#wallNowMs();
    const batch = this.#batches.get(rows) ?? {
      compute_input: { count: 0, ns: 0 },
      compute_infer: { count: 0, ns: 0 },
      compute_output: { count: 0, ns: 0 },
    };
    if (this.#batches.size < MAX_BATCH_SIZES) this.#batches.set(rows, batch);
    add(batch.compute_input, decodeMs);
    add(batch.compute_infer, computeMs);
    add(batch.compute_output, 0);
  }

  settled(outcome: FrameOutcome, totalMs: number): void {
    if (outcome.kind === 'fault') {
      this.#add('fail', totalMs);
      return;
    }
    const { spans } = outcome;
    this.#add('success', spans.totalMs);
    this.#add('queue', spans.queueMs);
    this.#add('compute_input', spans.decodeMs);
    this.#add('compute_infer', spans.computeMs);
    this.#add('compute_output', spans.totalMs - spans.queueMs - spans.decodeMs - spans.computeMs);
  }

  toJson({ model, version }: Release): object {
    const none = { count: 0, ns: 0 };
    return {
      name: model,
      version,
      last_inference: Math.round(this.#lastInferenceMs),
      inference_count: this.#rows,
      execution_count: this.#executions,
      inference_stats: { ...Object.fromEntries(this.#durations), cache_hit: none, cache_miss: none },
      response_stats: {},
      batch_stats: [...this.#batches]
        .sort(([a], [b]) => a - b)
        .map(([size, statistics]) => ({ batch_size: size, ...statistics })),
      memory_usage: [],
    };
  }

  #add(name: Statistic, ms: number): void {
    add(this.#durations.get(name) as Duration, ms);
  }
}

function add(duration: Duration, ms: number): void {
  duration.count++;
  duration.ns += Math.max(0, Math.round(ms * 1e6));
}

/** Statistics of all releases that have been loaded; those of a release outlive its workers. */
export class StatisticsBook {
  readonly #wallNowMs: () => number;
  readonly #releases = new Map<string, { readonly release: Release; readonly statistics: ReleaseStatistics }>();

  constructor(wallNowMs: () => number) {
    this.#wallNowMs = wallNowMs;
  }

  of(release: Release): ReleaseStatistics {
    const key = `${release.model}\n${release.version}`;
    const known = this.#releases.get(key);
    if (known !== undefined) return known.statistics;
    // A fleet that publishes for years: the oldest books are closed.
    if (this.#releases.size >= MAX_RELEASES) this.#releases.delete(this.#releases.keys().next().value ?? '');
    const statistics = new ReleaseStatistics(this.#wallNowMs);
    this.#releases.set(key, { release, statistics });
    return statistics;
  }

  forget({ model, version }: Release): void {
    this.#releases.delete(`${model}\n${version}`);
  }

  /** Of one model, of one of its releases, or of all. */
  toJson(model: string | null, version: string | null): { release: Release; json: object }[] {
    return [...this.#releases.values()]
      .filter(({ release }) => model === null || release.model === model)
      .filter(({ release }) => version === null || release.version === version)
      .map(({ release, statistics }) => ({ release, json: statistics.toJson(release) }));
  }
}

const MAX_RELEASES = 10_000;
