// A worker decodes the next job while one runs: which frame is to blame when that is what kills it?
import { systemClock } from '@kerf/protocol';
import { expect, it } from 'vitest';
import { DEFAULT_BATCHING, DEFAULT_CLOUD_LIMITS, DEFAULT_QUEUE } from '../src/limits.ts';
import type { FrameTask } from '../src/models/frame-task.ts';
import { ModelRunner } from '../src/models/model-runner.ts';
import { AnswerBuffers } from '../src/worker/answer-buffers.ts';
import type { ModelWorker, WorkerHandler, WorkerModel, WorkerSettings } from '../src/worker/worker-process.ts';

const buffers = new AnswerBuffers();
const SPECS = { inputs: [{ name: 'x', dtype: 'float32', shape: [1] }], outputs: [] } as const;

/** Runs a job in 8 ms; dies as soon as one holds the frame named `poison`, whatever runs. */
class FakeWorker implements ModelWorker {
  readonly pid = 1;
  readonly #handler: WorkerHandler;
  readonly #nameOf: (bytes: Uint8Array) => string;
  readonly #jobs: number[] = [];
  #isDead = false;

  constructor(handler: WorkerHandler, nameOf: (bytes: Uint8Array) => string) {
    this.#handler = handler;
    this.#nameOf = nameOf;
  }

  get outstanding(): number {
    return this.#jobs.length;
  }

  load(): Promise<WorkerModel> {
    const warmUp = { runs: 0, ms: 0, left: 0 };
    return Promise.resolve({
      identity: null,
      segments: [SPECS],
      entries: [SPECS],
      provider: 'cpu',
      demoted: [],
      warmUp,
    });
  }

  run(request: Parameters<ModelWorker['run']>[0], body: readonly Uint8Array[]): void {
    this.#jobs.push(request.job);
    if (body.some((bytes) => this.#nameOf(bytes) === 'poison')) {
      setTimeout(() => {
        this.#isDead = true;
        this.#handler.onEnd({ reason: 'exit', mayBlameJob: true, detail: '' });
      }, 2);
    }
    if (this.#jobs.length === 1) this.#next();
  }

  trim(): void {}

  kill(): void {
    this.#isDead = true;
  }

  #next(): void {
    setTimeout(() => {
      const [job] = this.#jobs.splice(0, 1);
      if (this.#isDead || job === undefined) return;
      const frames = [{ outputs: [], fault: null }];
      const times = { decodeMs: 0, computeMs: 8, trial: null, rssBytes: null };
      this.#handler.onRan({ type: 'ran', job, frames, ...times }, buffers.take(0));
      if (this.#jobs.length > 0) this.#next();
    }, 8);
  }
}

it('only the frame that kills is refused, though another one ran each time', async () => {
  const names = new Map<Uint8Array, string>();
  const spawn = (_settings: WorkerSettings, handler: WorkerHandler): ModelWorker =>
    new FakeWorker(handler, (bytes) => names.get(bytes) ?? '');
  const lost: number[] = [];
  const runner = new ModelRunner({
    id: 'm',
    version: '1',
    worker: { spawn, buffers, clock: systemClock } as unknown as WorkerSettings,
    workers: 1,
    maxQueuedFrames: 100,
    batching: { ...DEFAULT_BATCHING, enabled: false },
    queue: DEFAULT_QUEUE,
    growth: DEFAULT_CLOUD_LIMITS,
    meter: {
      ran: () => {},
      settled: () => {},
      restarted: () => lost.push(1),
      recycled: () => {},
      demoted: () => {},
      batchingRefused: () => {},
    },
    trace: null,
    log: () => {},
    clock: systemClock,
  });
  await runner.start(() => {});
  const ask = (name: string): Promise<string> =>
    new Promise((resolve) => {
      const bytes = Uint8Array.of(names.size, 0, 0, 0);
      names.set(bytes, name);
      const frame: FrameTask = {
        owner: names,
        entry: 0,
        tensors: [{ name: 'x', dtype: 'float32', shape: [1], codec: { kind: 'raw' }, bytes }],
        bytes: 4,
        receivedAtMs: systemClock.nowMs(),
        deadlineAtMs: systemClock.nowMs() + 30_000,
        level: 3,
        trace: null,
        losslessAnswer: false,
        shapeClass: null,
        rows: 1,
        losses: 0,
        alone: false,
        settle: (outcome) => resolve(outcome.kind === 'fault' ? outcome.code : 'result'),
      };
      runner.submit(frame);
    });
  // From then on the runner knows how short runs are, and hands a second job ahead.
  await ask('first');
  const answers = await Promise.all(['a', 'poison', 'b', 'c'].map(ask));
  expect(answers).toEqual(['result', 'WORKER_LOST', 'result', 'result']);
  // At most once while it was decoded beside `a`, and twice by itself.
  expect(lost.length).toBeLessThanOrEqual(3);
  expect(await Promise.all(['a', 'b'].map(ask))).toEqual(['result', 'result']);
  runner.close();
});
