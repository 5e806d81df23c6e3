// Questions of the Cut screen -> answers of the planner's thread.
import { Worker } from 'node:worker_threads';
import type { CutPlan } from '@kerf/bridge';
import { KerfError, startedFile } from '@kerf/protocol';
import { errorOf } from '../../failed-message.ts';
import type { CutQuestion } from './build-cut-plan.ts';
import type { FromPlanner, Opened, PlannerSetup, ToPlanner } from './cut-messages.ts';

/** Questions that may wait: a slider that is dragged asks often, and only the last answer is looked at. */
const MAX_WAITING = 32;

interface Waiting {
  readonly resolve: (value: Opened | CutPlan) => void;
  readonly reject: (error: KerfError) => void;
}

type Ask<T extends ToPlanner = ToPlanner> = T extends ToPlanner ? Omit<T, 'id'> : never;

export class CutPlanner {
  private readonly waiting = new Map<number, Waiting>();
  private worker: Worker | null = null;
  private lastId = 0;

  /** @throws {KerfError} what opening the model and reading profiles throw. */
  async open(setup: PlannerSetup): Promise<Opened> {
    return (await this.ask({ kind: 'open', setup })) as Opened;
  }

  /** @throws {KerfError} CONFLICT without a whole model and a profile; OVERLOADED. */
  async plan(question: CutQuestion): Promise<CutPlan> {
    return (await this.ask({ kind: 'plan', question })) as CutPlan;
  }

  async close(): Promise<void> {
    this.fail('the station ends');
    await this.worker?.terminate();
    this.worker = null;
  }

  private ask(what: Ask): Promise<Opened | CutPlan> {
    if (this.waiting.size >= MAX_WAITING) {
      throw new KerfError('OVERLOADED', 'the planner has too many questions before it; ask again');
    }
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.thread().postMessage({ ...what, id });
    });
  }

  private thread(): Worker {
    if (this.worker !== null) return this.worker;
    const worker = new Worker(startedFile('cut-planner-thread', import.meta.url), { execArgv: [] });
    worker.unref();
    worker.on('message', (reply: FromPlanner) => {
      const waiting = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if ('value' in reply) waiting?.resolve(reply.value);
      else waiting?.reject(errorOf(reply.failed));
    });
    const onEnd = (): void => {
      if (this.worker !== worker) return;
      this.worker = null;
      this.fail('the planner has failed on this model; ask again');
    };
    worker.once('error', onEnd);
    worker.once('exit', onEnd);
    this.worker = worker;
    return worker;
  }

  private fail(message: string): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of all) reject(new KerfError('WORKER_LOST', message));
  }
}
