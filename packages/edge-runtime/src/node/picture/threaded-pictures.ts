// A station's work on pictures -> a thread of its own, which may die without taking more than one picture with it.
import { Worker } from 'node:worker_threads';
import { type Clock, KerfError, startedFile, systemClock } from '@kerf/protocol';
import type { Picture } from '../../capture/capture.ts';
import type { Pictures } from '../../station/pictures.ts';
import { usable } from '../../station/prepare-picture.ts';
import type { WorkerHandle } from '../../worker/worker-backend.ts';
import { handleOf } from '../worker-handle.ts';
import { handedOver, type JobReply, type JobResults, type PictureJob } from './picture-jobs.ts';

export interface ThreadedPictures extends Pictures {
  /** Resolves when the thread works: a picture that came before would spend its deadline on that. @throws {KerfError} BACKEND_FAILED. */
  ready(): Promise<void>;
  /** Ends the thread; what is asked of it then fails with CLOSED. */
  close(): Promise<void>;
}

/** The least picture. */
const DOT: Picture = { kind: 'pixels', image: { width: 1, height: 1, data: new Uint8Array(3) } };

/** Jobs in the thread at a time: one that decodes in the library, one that draws, and one to follow each. */
const MOST_RUNNING = 4;

/** Far more than the largest picture takes on a small machine: what takes longer has no end. */
const LONGEST_JOB_MS = 60_000;

interface ThreadOptions {
  readonly start?: () => WorkerHandle;
  readonly clock?: Clock;
}

/** The thread runs at once, so that the first picture does not wait for it; one that ends is followed by another. */
export function threadedPictures({ start = startThread, clock = systemClock }: ThreadOptions = {}): ThreadedPictures {
  const jobs = new JobQueue(start, clock);
  return {
    prepare: async (picture, wanted) => usable(await jobs.ask(picture, { kind: 'prepare', wanted })),
    overlay: (picture, record) => jobs.ask(picture, { kind: 'overlay', record }),
    shown: (picture, size) => jobs.ask(picture, { kind: 'shown', size }),
    sizeOf: (picture) => jobs.ask(picture, { kind: 'size' }),
    ready: async () => void (await jobs.ask(DOT, { kind: 'size' })),
    close: () => jobs.close(),
  };
}

function startThread(): WorkerHandle {
  return handleOf(new Worker(startedFile('picture-thread', import.meta.url), { execArgv: [] }));
}

function closed(): KerfError {
  return new KerfError('CLOSED', 'the station was closed');
}

interface Asked {
  readonly picture: Picture;
  readonly job: PictureJob;
  /** It was in a thread that ended, with others: alone in the next one it shows whether it was the cause. */
  isSuspect: boolean;
  readonly resolve: (result: JobResults[PictureJob['kind']]) => void;
  readonly reject: (error: KerfError) => void;
}

interface Running {
  readonly asked: Asked;
  /** It ended in time. */
  readonly inTime: () => void;
}

class JobQueue {
  private readonly start: () => WorkerHandle;
  private readonly clock: Clock;
  private thread: WorkerHandle | null = null;
  private waiting: Asked[] = [];
  private readonly running = new Map<number, Running>();
  private readonly pictureIds = new WeakMap<Picture, number>();
  private nextId = 1;
  private isClosed = false;

  constructor(start: () => WorkerHandle, clock: Clock) {
    this.start = start;
    this.clock = clock;
    this.thread = this.startThread();
  }

  ask<K extends PictureJob['kind']>(
    picture: Picture,
    job: Extract<PictureJob, { readonly kind: K }>,
  ): Promise<JobResults[K]> {
    if (this.isClosed) return Promise.reject(closed());
    return new Promise<JobResults[K]>((resolve, reject) => {
      const asked: Asked = {
        picture,
        job,
        isSuspect: false,
        resolve: (result) => resolve(result as JobResults[K]),
        reject,
      };
      this.waiting.push(asked);
      this.next();
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const { thread } = this;
    this.thread = null;
    for (const { reject } of [...this.cut(), ...this.waiting]) reject(closed());
    this.waiting = [];
    await thread?.terminate();
  }

  private next(): void {
    for (let asked = this.taken(); asked !== null; asked = this.taken()) {
      const id = this.nextId++;
      this.running.set(id, { asked, inTime: this.clock.after(LONGEST_JOB_MS, () => this.onEndless(id)) });
      this.thread ??= this.startThread();
      const [picture, memory] = handedOver(asked.picture);
      this.thread.post({ id, pictureId: this.idOf(asked.picture), picture, job: asked.job }, memory);
    }
  }

  /** Suspects one by one; then what has a deadline before what has none. */
  private taken(): Asked | null {
    const first =
      this.waiting.find(({ isSuspect }) => isSuspect) ??
      this.waiting.find(({ job }) => job.kind === 'prepare') ??
      this.waiting[0];
    const isAlone = [...this.running.values()].some(({ asked }) => asked.isSuspect);
    if (first === undefined || isAlone || this.running.size >= (first.isSuspect ? 1 : MOST_RUNNING)) return null;
    this.waiting.splice(this.waiting.indexOf(first), 1);
    return first;
  }

  private startThread(): WorkerHandle {
    const thread = this.start();
    thread.onMessage((message) => this.settle(message as JobReply));
    thread.onFailure((reason) => this.ended(thread, reason));
    return thread;
  }

  private settle(reply: JobReply): void {
    const job = this.running.get(reply.id);
    // Of a thread that was given up.
    if (job === undefined) return;
    this.running.delete(reply.id);
    job.inTime();
    if (reply.kind === 'failed') job.asked.reject(new KerfError(reply.code, reply.message));
    else job.asked.resolve(reply.result);
    this.next();
  }

  /** Its place comes back with another thread: the library cannot be told to stop. */
  private onEndless(id: number): void {
    const endless = this.running.get(id);
    this.running.delete(id);
    const limit = `${LONGEST_JOB_MS / 1000} s`;
    endless?.asked.reject(new KerfError('BACKEND_FAILED', `the picture was worked on for ${limit} without an end`));
    void this.thread?.terminate();
    this.thread = null;
    this.waiting = [...this.cut(), ...this.waiting];
    this.next();
  }

  private ended(thread: WorkerHandle, reason: string): void {
    if (thread !== this.thread) return;
    this.thread = null;
    const cut = this.cut();
    const [alone] = cut;
    if (alone !== undefined && cut.length === 1) {
      alone.reject(new KerfError('BACKEND_FAILED', `the picture stopped the thread that works on pictures: ${reason}`));
    } else {
      for (const asked of cut) asked.isSuspect = true;
      this.waiting = [...cut, ...this.waiting];
    }
    this.next();
  }

  /** What was in the thread. */
  private cut(): Asked[] {
    const cut = [...this.running.values()];
    this.running.clear();
    for (const { inTime } of cut) inTime();
    return cut.map(({ asked }) => asked);
  }

  private idOf(picture: Picture): number {
    const known = this.pictureIds.get(picture);
    if (known !== undefined) return known;
    const id = this.nextId++;
    this.pictureIds.set(picture, id);
    return id;
  }
}
