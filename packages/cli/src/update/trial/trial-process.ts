// Questions about a release that nobody knows yet -> answers from a process of its own, which may crash, hang or run out of memory.
import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';
import { KerfError, startedFile } from '@kerf/protocol';
import { errorOf } from '../../failed-message.ts';
import type { TrialAnswers, TrialMessage, TrialQuestion } from './messages.ts';
import { TrialWork } from './trial-work.ts';

export interface AskOptions {
  /** A process that says nothing for so long is ended. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal;
}

/** Ended from outside, by whoever stops the station: that says nothing of the release. */
const STOPPED: readonly (NodeJS.Signals | null)[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

export interface Trial {
  /**
   * One question at a time.
   * @throws {KerfError} WORKER_LOST when the process ends or says nothing; CANCELLED; what the work throws. After the first two, and
   *   after CANCELLED, there is no process any more.
   */
  ask<Q extends TrialQuestion>(question: Q, options: AskOptions): Promise<TrialAnswers[Q['kind']]>;
  close(): Promise<void>;
}

/**
 * In Electron it is this process: its packaged form starts no other program, and the station has a process to itself there, which
 * the app starts again.
 */
export function startTrial(): Trial {
  return process.versions['electron'] === undefined ? new TrialProcess() : new TrialHere();
}

class TrialProcess implements Trial {
  readonly #child: ChildProcess;
  /** How it ended, or is about to. */
  #ending: string | null = null;
  #isGone = false;
  #isStopped = false;

  constructor() {
    this.#child = fork(startedFile('trial-main', import.meta.url), {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.once('error', ({ message }) => {
      this.#isGone = true;
      this.#ending ??= `could not be started: ${message}`;
    });
    this.#child.once('exit', (code, signal) => {
      this.#isGone = true;
      this.#isStopped ||= STOPPED.includes(signal);
      this.#ending ??= signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    });
  }

  async ask<Q extends TrialQuestion>(
    question: Q,
    { patienceMs, signal }: AskOptions,
  ): Promise<TrialAnswers[Q['kind']]> {
    const child = this.#child;
    let timer: NodeJS.Timeout | undefined;
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#end(`said nothing for ${patienceMs / 1000} s`), patienceMs);
    };
    const stop = (): void => void this.close();
    let forget = (): void => {};
    try {
      return await new Promise((resolve, reject) => {
        const lost = (): void => reject(this.#lost());
        const onMessage = (message: TrialMessage): void => {
          wait();
          if (message.kind === 'answer') resolve(message.value as TrialAnswers[Q['kind']]);
          else if (message.kind === 'failed') reject(errorOf(message));
        };
        child.on('message', onMessage).once('exit', lost).once('error', lost);
        forget = () => child.off('message', onMessage).off('exit', lost).off('error', lost);
        signal?.addEventListener('abort', stop);
        if (signal?.aborted === true) stop();
        if (this.#isGone) return lost();
        wait();
        // One that is going says so by its exit.
        child.send(question, () => undefined);
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      forget();
    }
  }

  close(): Promise<void> {
    this.#isStopped = true;
    this.#end('was stopped');
    return Promise.resolve();
  }

  /** What it may be busy with does not listen to reason. */
  #end(why: string): void {
    this.#ending ??= why;
    this.#child.kill('SIGKILL');
  }

  #lost(): KerfError {
    if (this.#isStopped) return new KerfError('CANCELLED', 'the trial of the release was stopped');
    return new KerfError('WORKER_LOST', `the process that tried the release ${this.#ending ?? 'is gone'}`);
  }
}

class TrialHere implements Trial {
  readonly #work = new TrialWork(() => {});

  async ask<Q extends TrialQuestion>(question: Q, { signal }: AskOptions): Promise<TrialAnswers[Q['kind']]> {
    if (signal?.aborted === true) throw new KerfError('CANCELLED', 'the trial of the release was stopped');
    return (await this.#work.answer(question)) as TrialAnswers[Q['kind']];
  }

  close(): Promise<void> {
    return this.#work.close();
  }
}
