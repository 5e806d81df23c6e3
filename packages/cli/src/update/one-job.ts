// Long work, one piece at a time -> how far it is, how it ended, and a way to stop it.
import { type EndedView, faultView, type JobView, type UpdateStep } from '@kerf/bridge';
import { KerfError, messageOf } from '@kerf/protocol';
import { refused } from '../refusal.ts';

export interface JobProgress {
  readonly signal: AbortSignal;
  readonly version: (version: string) => void;
  readonly total: (total: number) => void;
  /** So much more is done. */
  readonly add: (amount: number) => void;
  /** So much is done in all. */
  readonly done: (done: number) => void;
}

export class OneJob {
  #job: JobView | null = null;
  #abort = new AbortController();
  #ended: EndedView | null = null;
  #running: Promise<void> = Promise.resolve();
  readonly #onChange: () => void;
  readonly #onFault: (error: unknown) => void;

  /** @param onFault hears of errors that are no KerfError */
  constructor(onChange: () => void, onFault: (error: unknown) => void) {
    this.#onChange = onChange;
    this.#onFault = onFault;
  }

  get job(): JobView | null {
    return this.#job;
  }

  get ended(): EndedView | null {
    return this.#ended;
  }

  /** Begins and returns: how it ends is told by `ended`. @throws {KerfError} CONFLICT while another one is under way. */
  begin(step: UpdateStep, version: string | null, work: (progress: JobProgress) => Promise<void>): void {
    if (this.#job !== null) throw refused({ kind: 'busy' });
    this.#abort = new AbortController();
    this.#job = { step, version, done: 0, total: null };
    this.#onChange();
    this.#running = this.#run(work);
  }

  cancel(): void {
    this.#abort.abort(new KerfError('CANCELLED', 'it was stopped'));
  }

  /** Stops what is under way and waits for its end. */
  async close(): Promise<void> {
    this.cancel();
    await this.#running;
  }

  async #run(work: (progress: JobProgress) => Promise<void>): Promise<void> {
    let fault: EndedView['fault'] = null;
    try {
      await work(this.#progress());
    } catch (error) {
      if (!KerfError.is(error)) this.#onFault(error);
      const message = `the station could not do that; its log says why: ${messageOf(error)}`;
      fault = faultView(KerfError.from(error, 'INTERNAL', message));
    }
    const { step, version } = this.#job as JobView;
    this.#ended = { step, version, at: new Date().toISOString(), fault };
    this.#job = null;
    this.#onChange();
  }

  #progress(): JobProgress {
    const change = (part: Partial<JobView>): void => {
      if (this.#job !== null) this.#job = { ...this.#job, ...part };
      this.#onChange();
    };
    return {
      signal: this.#abort.signal,
      version: (version) => change({ version }),
      total: (total) => change({ total }),
      add: (amount) => change({ done: (this.#job?.done ?? 0) + amount }),
      done: (done) => change({ done }),
    };
  }
}
