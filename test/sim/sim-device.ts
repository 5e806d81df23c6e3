// A device: the real session and the real outbox in a process that is killed, over a disk and a source that are not.
import { EdgeSession, Outbox, type OutboxSnapshot } from '@kerf/edge-runtime';
import { type ErrorCode, KerfError, type Transport } from '@kerf/protocol';
import type { ResultRecord } from '../../packages/edge-runtime/src/station/result-record.ts';
import { BLANK } from './blank-record.ts';
import { ProcessClock } from './process-clock.ts';
import { MODEL, type SimCloud } from './sim-cloud.ts';
import { Path, SimConnection } from './sim-link.ts';
import { inputOf, judgeAnswer, StampModel, splitOf } from './sim-model.ts';
import type { SimSink } from './sim-sink.ts';
import { type DiskFate, type Platter, SimulatedDisk } from './simulated-disk.ts';
import type { World } from './world.ts';

export interface DeviceSetup {
  readonly number: number;
  readonly parts: number;
  readonly periodMs: number;
  readonly deadlineMs: number;
  /** The device holds the tail as well. */
  readonly hasTail: boolean;
  readonly syncEveryMs: number;
  readonly maxRecords: number;
}

/** Frames of a device that are on their way at a time. */
const WIDTH = 3;
const LIMITS = { maxQueuedFrames: 8, maxInFlightFrames: 4 };

type Answer = { readonly kind: 'result' } | { readonly kind: 'failed'; readonly isFrameAtFault: boolean };

/** Trying again does not help: the provisional verdict stands. A frame on which two workers died counts as that. */
const AT_FAULT = new Set<ErrorCode>(['BACKEND_FAILED', 'TENSOR_MISMATCH', 'IMAGE_INVALID']);

interface Life {
  readonly clock: ProcessClock;
  readonly disk: SimulatedDisk;
  outbox: Outbox | null;
  /** Records that it held when it was opened: those that sinks had taken since their last written word among them. */
  foundRecords: number;
  session: EdgeSession | null;
  version: number;
}

export class SimDevice {
  readonly setup: DeviceSetup;
  readonly path: Path;
  readonly sinks: readonly SimSink[];
  /** Keys of records whose `put` has resolved. */
  readonly stored = new Set<string>();
  /** Keys that the outbox said it gave up, and results that will have no final record for it. */
  readonly dropped = new Set<string>();
  diskFate: (operation: string) => DiskFate = () => 'ok';
  diskMaxBytes = Number.POSITIVE_INFINITY;
  connections: SimConnection[] = [];
  readonly #world: World;
  readonly #gateways: () => readonly SimCloud[];
  readonly #captured: boolean[] = [];
  #platter: Platter = new Map();
  #life: Life | null = null;

  constructor(setup: DeviceSetup, world: World, gateways: () => readonly SimCloud[], sinks: readonly SimSink[]) {
    this.setup = setup;
    this.#world = world;
    this.#gateways = gateways;
    this.sinks = sinks;
    this.path = new Path(world.between(1, 40), world.between(2, 50));
  }

  get isAlive(): boolean {
    return this.#life !== null;
  }

  get disk(): SimulatedDisk | null {
    return this.#life?.disk ?? null;
  }

  /** Bound of the outbox's records: what came back after a crash may be more, and only shrinks. */
  get maxRecords(): number {
    return Math.max(this.setup.maxRecords, this.#life?.foundRecords ?? 0);
  }

  get outbox(): OutboxSnapshot | null {
    return this.#life?.outbox?.snapshot ?? null;
  }

  get unfinishedFrames(): number {
    return this.#life?.session?.snapshot.unfinishedFrames ?? 0;
  }

  /** Every part has its record in the outbox, and the outbox nothing more to do. */
  get isDone(): boolean {
    const box = this.outbox;
    return box !== null && this.#captured.filter(Boolean).length === this.setup.parts && box.records === 0;
  }

  start(): void {
    const world = this.#world;
    const clock = new ProcessClock(world.clock);
    const disk = new SimulatedDisk(
      {
        random: world.random,
        fate: (operation) => (world.plants.forgetsSync && operation === 'sync' ? 'forget' : this.diskFate(operation)),
        delay: () => clock.sleep(world.between(0.05, 1.5)),
      },
      this.#platter,
    );
    disk.maxBytes = this.diskMaxBytes;
    const life: Life = {
      clock,
      disk,
      outbox: null,
      foundRecords: 0,
      session: null,
      version: world.pick(world.releases),
    };
    this.#life = life;
    world.note(`device ${this.setup.number} starts with head ${life.version}`);
    void this.#run(life).catch((error: unknown) => {
      if (!clock.isDead) world.violate(`device ${this.setup.number} failed: ${String(error)}`);
    });
  }

  /** SIGKILL, or the power goes. */
  stop(how: 'kill' | 'cut'): void {
    const life = this.#life;
    if (life === null) return;
    this.#world.note(`device ${this.setup.number} ${how === 'kill' ? 'is killed' : 'loses power'}`);
    life.clock.kill();
    this.#platter = how === 'kill' ? life.disk.kill() : life.disk.cut();
    for (const { edge, cloud, path } of this.connections) {
      edge.abandon();
      // A system that is gone says nothing: the cloud finds out by itself.
      if (how === 'kill') this.#world.clock.after(path.latencyMs, () => cloud.vanish());
    }
    this.connections = [];
    this.#life = null;
  }

  async #run(life: Life): Promise<void> {
    const { clock } = life;
    const world = this.#world;
    life.outbox = await this.#openOutbox(life);
    life.foundRecords = life.outbox.snapshot.records;
    await this.#openSession(life);
    void this.#reconcile(life, life.outbox);
    let order: Promise<void> = Promise.resolve();
    const underWay = new Set<Promise<unknown>>();
    for (let part = 0; part < this.setup.parts; part++) {
      if (this.#captured[part] === true) continue;
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

  async #openOutbox(life: Life): Promise<Outbox> {
    for (;;) {
      try {
        return await Outbox.open({
          disk: life.disk,
          sinks: this.sinks.map((sink) => sink.seenBy(life.clock)),
          onEvent: (event) => {
            if (event.kind !== 'dropped' || life.clock.isDead) return;
            this.#world.note(`outbox ${this.setup.number} gives up ${event.resultId}#${event.revision}`);
            if (event.verdict === 'NG') this.#world.violate(`an NG was dropped: ${event.resultId}`);
            this.dropped.add(`${event.resultId}#${event.revision}`);
            this.dropped.add(event.resultId);
          },
          options: {
            clock: life.clock,
            random: this.#world.random,
            syncEveryMs: this.setup.syncEveryMs,
            maxRecords: this.setup.maxRecords,
            segmentBytes: 3000,
            reserveBytes: 3000,
            seenWindow: 200,
            deliverTimeoutMs: 300,
            backoffBaseMs: 20,
            backoffMaxMs: 400,
            ackEveryMs: 30,
            diskRetryMs: 50,
          },
        });
      } catch {
        // A disk that fails: a supervisor starts the station again.
        await life.clock.sleep(100);
      }
    }
  }

  async #openSession(life: Life): Promise<void> {
    const { clock, version } = life;
    const world = this.#world;
    const runMs = (): number => world.between(0.5, 4);
    const tail = this.setup.hasTail ? { tail: new StampModel('mid', 'y', version, clock, runMs) } : null;
    const session = await EdgeSession.open({
      split: splitOf(world.pairOf(version)),
      head: new StampModel('x', 'mid', version, clock, runMs),
      local: tail,
      cloud: { model: MODEL, connect: (signal) => this.#connect(life, signal), token: () => world.issueToken() },
      options: {
        clock,
        random: world.random,
        ...LIMITS,
        deadlineMs: this.setup.deadlineMs,
        awayGraceMs: 60,
        connectTimeoutMs: 400,
        openTimeoutMs: 1500,
        pingIntervalMs: 300,
        peerTimeoutMs: 900,
        backoffBaseMs: 30,
        backoffMaxMs: 600,
        faultRetryMs: 500,
      },
    });
    life.session = session;
    session.onStatus((status) => {
      if (clock.isDead) return;
      world.note(`link ${this.setup.number} ${status.kind}`);
      // What an update does: the new head, and a session for it.
      if (status.kind === 'faulted' && status.code === 'PAIR_MISMATCH') void this.#update(life, session);
    });
  }

  async #update(life: Life, old: EdgeSession): Promise<void> {
    if (life.session !== old) return;
    life.session = null;
    old.close();
    life.version = Math.max(...this.#world.releases);
    this.#world.note(`device ${this.setup.number} updates to head ${life.version}`);
    await this.#openSession(life);
  }

  async #connect(life: Life, signal: AbortSignal): Promise<Transport> {
    const world = this.#world;
    await life.clock.sleep(2 * this.path.latencyMs);
    const alive = this.#gateways().filter(({ isDead }) => !isDead);
    if (this.path.isDown || alive.length === 0 || signal.aborted) throw new KerfError('LINK_LOST', 'nobody answers');
    const connection = new SimConnection(this.path, world.clock, world.random);
    this.connections = this.connections.filter(({ isOpen }) => isOpen);
    this.connections.push(connection);
    world.pick(alive).accept(connection);
    return connection.edge;
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
    const { clock, session, version } = life;
    const world = this.#world;
    if (session === null) return { kind: 'failed', isFrameAtFault: false };
    const startMs = clock.nowMs();
    const outcome = await session.infer(inputOf(input), { deadlineMs });
    if (world.plants.answersLate && world.chance(0.01)) await clock.sleep(deadlineMs);
    const tookMs = clock.nowMs() - startMs;
    if (tookMs > deadlineMs + 0.001) world.violate(`an outcome came after ${tookMs} ms of ${deadlineMs}`);
    if (session.snapshot.unfinishedFrames > LIMITS.maxQueuedFrames + LIMITS.maxInFlightFrames)
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
    this.#captured[part] = true;
    this.stored.add(keyOf(record));
  }

  async #put(life: Life, record: ResultRecord, extras: Parameters<Outbox['put']>[1]): Promise<void> {
    const { outbox, clock } = life;
    await (outbox as Outbox).put(record, extras);
    if (!clock.isDead) this.#world.note(`stored ${keyOf(record)}`);
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
        if (input.join() !== this.#inputOf(frame).join()) this.#world.violate(`the picture of ${resultId} is another`);
        const outcome = await this.#infer(life, input, 2000);
        if (outcome.kind === 'failed' && !outcome.isFrameAtFault) break;
        const verdict = outcome.kind === 'failed' ? 'REVIEW' : frame % 3 === 0 ? 'NG' : 'PASS';
        const final = this.#record(frame, revision + 1, verdict, false);
        await this.#put(life, final, {});
        this.stored.add(keyOf(final));
        if (this.#world.plants.answersTwice && this.#world.chance(0.2))
          await this.#put(life, { ...final, revision: revision + 2 }, {});
      }
    }
  }

  #inputOf(part: number): number[] {
    return [this.setup.number, part & 255, (part * 37) & 255, 200];
  }

  #record(part: number, revision: number, verdict: ResultRecord['verdict'], isPartial: boolean): ResultRecord {
    return { ...BLANK, resultId: `d${this.setup.number}-${part}`, revision, frame: part, verdict, isPartial };
  }
}

export function keyOf({ resultId, revision }: ResultRecord): string {
  return `${resultId}#${revision}`;
}
