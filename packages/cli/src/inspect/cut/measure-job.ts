// A model on this device -> a measurement of its costs that can be watched and cancelled.
import { Worker } from 'node:worker_threads';
import { type CutState, type FaultView, faultView } from '@kerf/bridge';
import { KerfError, messageOf, startedFile } from '@kerf/protocol';
import { endThread } from '@kerf/protocol/node';
import { errorOf } from '../../failed-message.ts';
import type { FromMeasure, MeasureSetup } from './cut-messages.ts';

/** Enough for the whole model and its likeliest cuts; `kerf profile` takes more time and is surer. */
export const MEASURE_BUDGET_MS = 20_000;

export class MeasureJob {
  /** Resolves with what went wrong, or null: it is done, or was cancelled. */
  readonly ended: Promise<FaultView | null>;
  private readonly worker: Worker;
  private isCancelled = false;
  private readonly startedMs = performance.now();

  constructor(setup: Omit<MeasureSetup, 'budgetMs'>) {
    const workerData: MeasureSetup = { ...setup, budgetMs: MEASURE_BUDGET_MS };
    this.worker = new Worker(startedFile('measure-thread', import.meta.url), { workerData, execArgv: [] });
    this.ended = new Promise((resolve) => {
      this.worker.on('message', (message: FromMeasure) => {
        resolve(message.kind === 'done' ? null : faultView(errorOf(message)));
      });
      this.worker.once('error', (error) => resolve(faultView(new KerfError('INTERNAL', messageOf(error)))));
      this.worker.once('exit', () => {
        const lost = new KerfError('WORKER_LOST', 'the thread that measures has ended');
        resolve(this.isCancelled ? null : faultView(lost));
      });
    });
  }

  get progress(): NonNullable<CutState['measuring']> {
    const elapsedMs = Math.round(performance.now() - this.startedMs);
    return { elapsedMs, budgetMs: MEASURE_BUDGET_MS };
  }

  async cancel(): Promise<void> {
    this.isCancelled = true;
    await endThread(this.worker);
  }
}
