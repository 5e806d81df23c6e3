// The files of a release and the cloud's options -> a runner for it, and what its events are counted by.
import { systemClock } from '@kerf/protocol';
import type { ModelFiles, Release } from './models/catalog.ts';
import { ModelRunner, type RunnerMeter, type RunnerOptions } from './models/model-runner.ts';
import type { StatisticsBook } from './oip/statistics.ts';
import type { ResolvedCloudOptions } from './options.ts';
import type { CloudMetrics } from './server/metrics.ts';
import type { AnswerBuffers } from './worker/answer-buffers.ts';

/** Metrics and the protocol's statistics, of the same events. */
export function meterOf(release: Release, metrics: CloudMetrics, statistics: StatisticsBook): RunnerMeter {
  const meter = metrics.meterOf(release);
  const book = statistics.of(release);
  return {
    ...meter,
    ran(rows, decodeMs, computeMs) {
      meter.ran(rows, decodeMs, computeMs);
      book.ran(rows, decodeMs, computeMs);
    },
    settled(outcome, totalMs) {
      meter.settled(outcome, totalMs);
      book.settled(outcome, totalMs);
    },
  };
}

/** A runner that is not started yet. */
export function runnerOf(
  files: ModelFiles,
  options: ResolvedCloudOptions,
  { buffers, ...more }: Pick<RunnerOptions, 'meter' | 'trace' | 'log'> & { readonly buffers: AnswerBuffers },
): ModelRunner {
  const { limits, wire, batching, queue, providers, threads, optimizationLevel } = options;
  return new ModelRunner({
    id: files.release.model,
    version: files.release.version,
    worker: {
      load: {
        type: 'load',
        identity: null,
        paths: files.paths,
        entries: files.entries,
        files: files.hashes,
        providers,
        threads,
        optimizationLevel,
        maxDecodedImageBytes: limits.maxDecodedImageBytes,
        maxDecodedBytes: wire.maxDecodedBytes,
        tables: files.tables,
        golden: files.golden,
        warmUp: { maxRows: batching.enabled ? batching.maxRows : 1, budgetMs: limits.warmUpMs },
      },
      loadTimeoutMs: limits.loadTimeoutMs,
      runTimeoutMs: limits.runTimeoutMs,
      spoolBytes: limits.workerSpoolBytes,
      buffers,
      clock: systemClock,
    },
    workers: limits.workersPerModel,
    maxQueuedFrames: limits.maxQueuedFrames,
    batching,
    queue,
    growth: limits,
    ...more,
    clock: systemClock,
  });
}
