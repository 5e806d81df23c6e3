// A device: a process that is killed, with the real outbox, over a disk and links that are simulated. What it does is its program.
import { Outbox, type OutboxSnapshot } from '@kerf/edge-runtime';
import { KerfError, type Transport } from '@kerf/protocol';
import type { ResultRecord } from '../../packages/edge-runtime/src/station/result-record.ts';
import { ProcessClock } from './process-clock.ts';
import type { SimCloud } from './sim-cloud.ts';
import { Path, SimConnection } from './sim-link.ts';
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

/** One run of a device's process. */
export interface Life {
  readonly clock: ProcessClock;
  readonly disk: SimulatedDisk;
  outbox: Outbox | null;
  /** Records that it held when it was opened: those that sinks had taken since their last written word among them. */
  foundRecords: number;
  /** Of the model that it holds. */
  version: number;
}

/** Of every session; small, so that they are reached. */
export const SESSION_LIMITS = { maxQueuedFrames: 8, maxInFlightFrames: 4 };
export const SESSION_TIMES = {
  awayGraceMs: 60,
  connectTimeoutMs: 400,
  openTimeoutMs: 1500,
  pingIntervalMs: 300,
  peerTimeoutMs: 900,
  backoffBaseMs: 30,
  backoffMaxMs: 600,
  faultRetryMs: 500,
};

export abstract class SimDevice {
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
  protected readonly world: World;
  protected readonly captured: boolean[] = [];
  readonly #gateways: () => readonly SimCloud[];
  #platter: Platter = new Map();
  #life: Life | null = null;

  constructor(setup: DeviceSetup, world: World, gateways: () => readonly SimCloud[], sinks: readonly SimSink[]) {
    this.setup = setup;
    this.world = world;
    this.#gateways = gateways;
    this.sinks = sinks;
    this.path = new Path(world.between(1, 40), world.between(2, 50));
  }

  /** Frames without an outcome. */
  abstract readonly unfinishedFrames: number;

  /** Takes every part that was not captured safely before, and ends when each has its record. */
  protected abstract program(life: Life, outbox: Outbox): Promise<void>;

  /** The part that a record is of. */
  abstract partOf(record: ResultRecord): number;

  /** What the part's records are called. */
  abstract resultIdOf(part: number): string;

  /** What is wrong with a record that a sink has; null where nothing is. */
  abstract judge(record: ResultRecord): string | null;

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

  /** Every part has its record in the outbox, and the outbox nothing more to do. */
  get isDone(): boolean {
    const box = this.outbox;
    return box !== null && this.captured.filter(Boolean).length === this.setup.parts && box.records === 0;
  }

  start(): void {
    const world = this.world;
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
    this.world.note(`device ${this.setup.number} ${how === 'kill' ? 'is killed' : 'loses power'}`);
    life.clock.kill();
    this.#platter = how === 'kill' ? life.disk.kill() : life.disk.cut();
    for (const { edge, cloud, path } of this.connections) {
      edge.abandon();
      // A system that is gone says nothing: the cloud finds out by itself.
      if (how === 'kill') this.world.clock.after(path.latencyMs, () => cloud.vanish());
    }
    this.connections = [];
    this.#life = null;
  }

  async #run(life: Life): Promise<void> {
    life.outbox = await this.#openOutbox(life);
    life.foundRecords = life.outbox.snapshot.records;
    await this.program(life, life.outbox);
  }

  async #openOutbox(life: Life): Promise<Outbox> {
    for (;;) {
      try {
        return await Outbox.open({
          disk: life.disk,
          sinks: this.sinks.map((sink) => sink.seenBy(life.clock)),
          onEvent: (event) => {
            if (life.clock.isDead) return;
            // It reaches every sink as it is, and no final one follows.
            if (event.kind === 'stands') this.dropped.add(event.resultId);
            if (event.kind !== 'dropped') return;
            this.world.note(`outbox ${this.setup.number} gives up ${event.resultId}#${event.revision}`);
            if (event.verdict === 'NG') this.world.violate(`an NG was dropped: ${event.resultId}`);
            this.dropped.add(`${event.resultId}#${event.revision}`);
            this.dropped.add(event.resultId);
          },
          options: {
            clock: life.clock,
            random: this.world.random,
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

  protected async connect(life: Life, signal: AbortSignal): Promise<Transport> {
    const world = this.world;
    await life.clock.sleep(2 * this.path.latencyMs);
    const alive = this.#gateways().filter(({ isDead }) => !isDead);
    if (this.path.isDown || alive.length === 0 || signal.aborted)
      throw new KerfError('LINK_LOST', 'nobody answers', { details: { unheard: true } });
    const connection = new SimConnection(this.path, world.clock, world.random);
    this.connections = this.connections.filter(({ isOpen }) => isOpen);
    this.connections.push(connection);
    world.pick(alive).accept(connection);
    return connection.edge;
  }
}

export function keyOf({ resultId, revision }: ResultRecord): string {
  return `${resultId}#${revision}`;
}
