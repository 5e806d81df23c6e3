// A device with one session: the real session and outbox, and a small program that inspects parts with them.
import { EdgeSession, type Outbox } from '@kerf/edge-runtime';
import type { ErrorCode } from '@kerf/protocol';
import type { ResultRecord } from '../../packages/edge-runtime/src/station/result-record.ts';
import { BLANK } from './blank-record.ts';
import { MODEL } from './sim-cloud.ts';
import { keyOf, type Life, SESSION_LIMITS, SESSION_TIMES, SimDevice } from './sim-device.ts';
import { inputOf, judgeAnswer, StampModel, splitOf } from './sim-model.ts';

/** Frames of a device that are on their way at a time. */
const WIDTH = 3;

type Answer = { readonly kind: 'result' } | { readonly kind: 'failed'; readonly isFrameAtFault: boolean };

/** Trying again does not help: the provisional verdict stands. A frame on which two workers died counts as that. */
const AT_FAULT = new Set<ErrorCode>(['BACKEND_FAILED', 'TENSOR_MISMATCH', 'IMAGE_INVALID']);

export class SessionDevice extends SimDevice {
  #session: EdgeSession | null = null;

  get unfinishedFrames(): number {
    return this.isAlive ? (this.#session?.snapshot.unfinishedFrames ?? 0) : 0;
  }

  partOf({ frame }: ResultRecord): number {
    return frame;
  }

  resultIdOf(part: number): string {
    return `d${this.setup.number}-${part}`;
  }

  /** Its answers are judged as they come. */
  judge(): null {
    return null;
  }

  protected async program(life: Life, outbox: Outbox): Promise<void> {
    const { clock } = life;
    const { world } = this;
    this.#session = null;
    await this.#openSession(life);
    void this.#reconcile(life, outbox);
    let order: Promise<void> = Promise.resolve();
    const underWay = new Set<Promise<unknown>>();
    for (let part = 0; part < this.setup.parts; part++) {
      if (this.captured[part] === true) continue;
      const before = order;
      const record = this.#inspect(life, part);
      order = record.then(async (made) => {
        await before;
        await this.#store(life, part, made);
      });
      const one: Promise<unknown> = order.finally(() => underWay.delete(one));
      underWay.add(one);
      if (underWay.size >= WIDTH) await Promise.race(underWay);
      await clock.sleep(this.setup.periodMs * world.between(0.5, 1.5));
    }
    await order;
  }

  async #openSession(life: Life): Promise<void> {
    const { clock, version } = life;
    const world = this.world;
    const runMs = (): number => world.between(0.5, 4);
    const tail = this.setup.hasTail ? { tail: new StampModel('mid', 'y', version, clock, runMs) } : null;
    const session = await EdgeSession.open({
      split: splitOf(world.pairOf(version)),
      head: new StampModel('x', 'mid', version, clock, runMs),
      local: tail,
      cloud: { model: MODEL, connect: (signal) => this.connect(life, signal), token: () => world.issueToken() },
      options: {
        clock,
        random: world.random,
        ...SESSION_LIMITS,
        ...SESSION_TIMES,
        deadlineMs: this.setup.deadlineMs,
      },
    });
    this.#session = session;
    session.onStatus((status) => {
      if (clock.isDead) return;
      world.note(`link ${this.setup.number} ${status.kind}`);
      // What an update does: the new head, and a session for it.
      if (status.kind === 'faulted' && status.code === 'PAIR_MISMATCH') void this.#update(life, session);
    });
  }

  async #update(life: Life, old: EdgeSession): Promise<void> {
    if (this.#session !== old) return;
    this.#session = null;
    old.close();
    life.version = Math.max(...this.world.releases);
    this.world.note(`device ${this.setup.number} updates to head ${life.version}`);
    await this.#openSession(life);
  }

  async #inspect(life: Life, part: number): Promise<ResultRecord> {
    const { deadlineMs } = this.setup;
    const input = this.#inputOf(part);
    const outcome = await this.#infer(life, input, deadlineMs);
    const isResult = outcome.kind === 'result';
    const verdict = !isResult ? 'REVIEW' : part % 3 === 0 ? 'NG' : 'PASS';
    return this.#record(part, 0, verdict, !isResult);
  }

  async #infer(life: Life, input: readonly number[], deadlineMs: number): Promise<Answer> {
    const { clock, version } = life;
    const session = this.#session;
    const world = this.world;
    if (session === null) return { kind: 'failed', isFrameAtFault: false };
    const startMs = clock.nowMs();
    const outcome = await session.infer(inputOf(input), { deadlineMs });
    if (world.plants.answersLate && world.chance(0.01)) await clock.sleep(deadlineMs);
    const tookMs = clock.nowMs() - startMs;
    if (tookMs > deadlineMs + 0.001) world.violate(`an outcome came after ${tookMs} ms of ${deadlineMs}`);
    if (session.snapshot.unfinishedFrames > SESSION_LIMITS.maxQueuedFrames + SESSION_LIMITS.maxInFlightFrames)
      world.violate('a session holds more frames than its bounds allow');
    world.note(`frame ${input.join()}: ${outcome.kind === 'failed' ? outcome.code : outcome.placement}`);
    if (outcome.kind === 'failed') {
      if (outcome.code === 'INTERNAL') world.violate(`INTERNAL: ${outcome.message}`);
      return { kind: 'failed', isFrameAtFault: AT_FAULT.has(outcome.code) };
    }
    const wrong = judgeAnswer(outcome.outputs, input, version);
    if (wrong !== null) world.violate(wrong);
    return { kind: 'result' };
  }

  async #store(life: Life, part: number, record: ResultRecord): Promise<void> {
    const kept = { kind: 'encoded', format: 'png', bytes: Uint8Array.from(this.#inputOf(part)) } as const;
    await this.#put(life, record, record.isPartial ? { kept } : {});
    this.captured[part] = true;
    this.stored.add(keyOf(record));
  }

  async #put(life: Life, record: ResultRecord, extras: Parameters<Outbox['put']>[1]): Promise<void> {
    const { outbox, clock } = life;
    await (outbox as Outbox).put(record, extras);
    if (!clock.isDead) this.world.note(`stored ${keyOf(record)}`);
  }

  /** Judges provisional parts again, one at a time, whenever the cloud is there. */
  async #reconcile(life: Life, outbox: Outbox): Promise<void> {
    const { clock } = life;
    for (;;) {
      await clock.sleep(150);
      for (const { resultId } of outbox.unsettled) {
        const kept = await outbox.readUnsettled(resultId).catch(() => null);
        if (kept === null || kept.picture.kind !== 'encoded') continue;
        const { frame, revision } = kept.record;
        const input = [...kept.picture.bytes];
        if (input.join() !== this.#inputOf(frame).join()) this.world.violate(`the picture of ${resultId} is another`);
        const outcome = await this.#infer(life, input, 2000);
        if (outcome.kind === 'failed' && !outcome.isFrameAtFault) break;
        const verdict = outcome.kind === 'failed' ? 'REVIEW' : frame % 3 === 0 ? 'NG' : 'PASS';
        const final = this.#record(frame, revision + 1, verdict, false);
        await this.#put(life, final, {});
        this.stored.add(keyOf(final));
        if (this.world.plants.answersTwice && this.world.chance(0.2))
          await this.#put(life, { ...final, revision: revision + 2 }, {});
      }
    }
  }

  #inputOf(part: number): number[] {
    return [this.setup.number, part & 255, (part * 37) & 255, 200];
  }

  #record(part: number, revision: number, verdict: ResultRecord['verdict'], isPartial: boolean): ResultRecord {
    return { ...BLANK, resultId: this.resultIdOf(part), revision, frame: part, verdict, isPartial };
  }
}
