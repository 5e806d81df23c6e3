// A model on this device -> a measurement of its costs that can be watched and cancelled.
import { Worker } from 'node:worker_threads';
import type { CutState } from '@kerf/bridge';
import { startedFile } from '@kerf/protocol';
import type { FromMeasure, MeasureSetup } from './cut-messages.ts';

/** Enough for the whole model and its likeliest cuts; `kerf profile` takes more time and is surer. */
export const MEASURE_BUDGET_MS = 20_000;

export class MeasureJob {
  /** Resolves with what went wrong, or null. */
  readonly ended: Promise<string | null>;
  private readonly worker: Worker;
  private readonly startedMs = performance.now();

  constructor(setup: Omit<MeasureSetup, 'budgetMs'>) {
    const workerData: MeasureSetup = { ...setup, budgetMs: MEASURE_BUDGET_MS };
    this.worker = new Worker(startedFile('measure-thread', import.meta.url), { workerData, execArgv: [] });
    this.ended = new Promise((resolve) => {
      this.worker.on('message', (message: FromMeasure) => resolve(message.kind === 'done' ? null : message.message));
      this.worker.once('error', (error) => resolve(error.message));
      this.worker.once('exit', () => resolve('it was cancelled'));
    });
  }

  get progress(): NonNullable<CutState['measuring']> {
    const elapsedMs = Math.round(performance.now() - this.startedMs);
    return { elapsedMs, budgetMs: MEASURE_BUDGET_MS };
  }

  async cancel(): Promise<void> {
    await this.worker.terminate();
  }
}
