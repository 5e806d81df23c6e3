// A device and a version -> the release in its other slot, fetched and checked in a thread of its own.
import { Worker } from 'node:worker_threads';
import type { GoldenReport } from '@kerf/delta-sync';
import { KerfError, startedFile } from '@kerf/protocol';
import { errorOf, type FailedMessage } from '../failed-message.ts';

/** What crosses to the thread when it starts; any message after that stops it. */
export interface StageRequest {
  /** Of the device. */
  readonly folder: string;
  /** Instead of those of the device; empty: those. */
  readonly mirrors: readonly string[];
  /** Null: the newest, or the one that the device is pinned to. */
  readonly version: string | null;
  readonly allowOlder: boolean;
}

export interface StagedRelease {
  readonly id: string;
  readonly version: string;
}

export type StageMessage =
  /** `total`: bytes that will cross. */
  | { readonly kind: 'begun'; readonly version: string; readonly total: number }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'done'; readonly staged: StagedRelease | null; readonly golden: GoldenReport | null }
  | FailedMessage;

export interface StageProgress {
  readonly onBegun: (version: string, total: number) => void;
  readonly onBytes: (bytes: number) => void;
}

/**
 * @returns null when there is nothing to stage
 * @throws {KerfError} what `Device.check` and `Device.stage` throw; CANCELLED, with what is there kept.
 */
export function stageInThread(
  request: StageRequest,
  { onBegun, onBytes }: StageProgress,
  signal: AbortSignal,
): Promise<{ readonly staged: StagedRelease; readonly golden: GoldenReport | null } | null> {
  const worker = new Worker(startedFile('stage-worker', import.meta.url), { workerData: request, execArgv: [] });
  const stop = (): void => worker.postMessage('stop');
  signal.addEventListener('abort', stop, { once: true });
  return new Promise<Awaited<ReturnType<typeof stageInThread>>>((resolve, reject) => {
    worker.on('message', (message: StageMessage) => {
      if (message.kind === 'begun') onBegun(message.version, message.total);
      else if (message.kind === 'bytes') onBytes(message.bytes);
      else if (message.kind === 'failed') reject(errorOf(message));
      else resolve(message.staged === null ? null : { staged: message.staged, golden: message.golden });
    });
    worker.once('error', (cause) => reject(new KerfError('INTERNAL', 'the thread that fetches has failed', { cause })));
    worker.once('exit', (code) => reject(new KerfError('INTERNAL', `the thread that fetches ended with code ${code}`)));
  }).finally(() => signal.removeEventListener('abort', stop));
}
