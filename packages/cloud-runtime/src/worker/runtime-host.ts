// The thread that holds the model -> promises of what it gives, in the order in which it was asked.
import { Worker } from 'node:worker_threads';
import { startedFile } from '@kerf/protocol';
import type { DecodedFrame } from './decode-frames.ts';
import type { LoadRequest } from './jobs.ts';
import type { RunPlan } from './run-frames.ts';
import { type FromRuntime, handOver, type RuntimeThreadData, type ThreadJob } from './thread-messages.ts';

type Reply<T extends FromRuntime['type']> = FromRuntime & { type: T };

export class RuntimeHost {
  readonly #thread: Worker;
  readonly #finished = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #waiting: ((reply: FromRuntime) => void)[] = [];
  /** Jobs whose answer this thread has been given. */
  #taken = 0;

  /** @param onEnd the thread is no more, which nothing but a fault of the program or of memory makes it. */
  constructor(onEnd: (reason: string) => void) {
    const workerData: RuntimeThreadData = { finished: this.#finished.buffer };
    this.#thread = new Worker(startedFile('runtime-thread', import.meta.url), { workerData });
    this.#thread.on('message', (reply: FromRuntime) => this.#waiting.shift()?.(reply));
    this.#thread.on('error', (error) => onEnd(error.stack ?? error.message));
    this.#thread.on('exit', (code) => onEnd(`the runtime's thread ended with code ${code}`));
  }

  /** Whether another job has been run while this thread still answers the last one: the runtime may be waiting. */
  get isAhead(): boolean {
    return Atomics.load(this.#finished, 0) > this.#taken;
  }

  load(request: LoadRequest): Promise<Reply<'loaded' | 'load-failed'>> {
    return this.#ask(() => this.#thread.postMessage(request));
  }

  /** The memory of the inputs and the body goes to the thread; the body comes back with the answer. */
  async run(frames: readonly DecodedFrame[], plan: RunPlan, body: ArrayBuffer): Promise<Reply<'ran'>> {
    const job: ThreadJob = { type: 'run', frames, plan, body };
    const buffers = frames.flatMap((frame) =>
      'inputs' in frame ? [...frame.inputs.values()].map(({ data }) => data.buffer) : [],
    );
    const reply = await this.#ask<'ran'>(() => handOver(this.#thread, job, [body, ...buffers]));
    this.#taken++;
    return reply;
  }

  #ask<T extends FromRuntime['type']>(send: () => void): Promise<Reply<T>> {
    return new Promise((resolve) => {
      this.#waiting.push((reply) => resolve(reply as Reply<T>));
      send();
    });
  }
}
