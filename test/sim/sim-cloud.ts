// One replica of the cloud: the real links, sessions, queue, batching and runners, over simulated sockets and workers.
import { DEFAULT_WIRE_LIMITS, KerfError } from '@kerf/protocol';
import {
  type CloudLimits,
  DEFAULT_BATCHING,
  DEFAULT_CLOUD_LIMITS,
  DEFAULT_QUEUE,
} from '../../packages/cloud-runtime/src/limits.ts';
import type { ModelCatalog, ModelFiles } from '../../packages/cloud-runtime/src/models/catalog.ts';
import { ModelPool } from '../../packages/cloud-runtime/src/models/model-pool.ts';
import { ModelRunner } from '../../packages/cloud-runtime/src/models/model-runner.ts';
import { Link } from '../../packages/cloud-runtime/src/server/link.ts';
import type { LinkContext } from '../../packages/cloud-runtime/src/server/link-context.ts';
import { ByteBudget } from '../../packages/cloud-runtime/src/session/byte-budget.ts';
import { SessionStore } from '../../packages/cloud-runtime/src/session/session-store.ts';
import { AnswerBuffers } from '../../packages/cloud-runtime/src/worker/answer-buffers.ts';
import type { WorkerSettings } from '../../packages/cloud-runtime/src/worker/worker-process.ts';
import { ProcessClock } from './process-clock.ts';
import { CHAIN_MODEL, chainPairOf, ENTRIES, SEGMENTS } from './sim-chain.ts';
import type { SimConnection } from './sim-link.ts';
import { SimWorker, type WorkerHabits } from './sim-worker.ts';
import type { World } from './world.ts';

export const MODEL = 'sim/model';

/** Small, so that they are reached. */
export const CLOUD_LIMITS: CloudLimits = {
  ...DEFAULT_CLOUD_LIMITS,
  credits: 4,
  maxQueuedFrames: 12,
  maxInFlightBytes: 4096,
  maxBufferedBytes: 1024,
  maxKeptBytesPerSession: 512,
  maxKeptBytes: 1024,
  resumeWindowMs: 2000,
  pingIntervalMs: 700,
  greetingTimeoutMs: 1000,
  loadTimeoutMs: 3000,
  runTimeoutMs: 400,
  workersPerModel: 2,
  idleUnloadMs: 20_000,
};

const nothing = { inc: () => {} };

/** One life of a gateway process. */
export class SimCloud {
  readonly clock: ProcessClock;
  readonly sessions: SessionStore;
  readonly inFlight: ByteBudget;
  readonly #world: World;
  readonly #pool: ModelPool;
  readonly #context: LinkContext;
  readonly #links = new Map<Link, SimConnection>();
  readonly #workers = new Set<SimWorker>();
  #isDraining = false;

  constructor(world: World, habits: WorkerHabits) {
    this.#world = world;
    this.clock = new ProcessClock(world.clock);
    const { clock } = this;
    this.inFlight = new ByteBudget(CLOUD_LIMITS.maxInFlightBytes);
    this.#pool = new ModelPool({
      catalog: this.#catalog(),
      limits: CLOUD_LIMITS,
      clock,
      log: () => {},
      makeRunner: (files) => this.#runner(files, habits),
      onReplaced: (runner) => this.sessions.endReplaced(runner),
    });
    this.sessions = new SessionStore({
      limits: CLOUD_LIMITS,
      queue: DEFAULT_QUEUE,
      wire: DEFAULT_WIRE_LIMITS,
      clock,
      inFlight: this.inFlight,
    });
    this.#context = {
      agent: 'sim',
      verify: (token) => world.verify(token),
      pool: this.#pool,
      sessions: this.sessions,
      inFlight: this.inFlight,
      limits: CLOUD_LIMITS,
      wire: DEFAULT_WIRE_LIMITS,
      clock,
      wallNowMs: () => world.cloudWallMs(),
      isDraining: () => this.#isDraining,
      metrics: { bytesIn: nothing, bytesOut: nothing, probeBytes: nothing, faults: nothing } as never,
      log: () => {},
    };
  }

  get isDead(): boolean {
    return this.clock.isDead;
  }

  get isLeaving(): boolean {
    return this.#isDraining;
  }

  get links(): number {
    return this.#links.size;
  }

  /** Frames whose answer is still to come, and those that wait or run. */
  get pending(): number {
    let count = 0;
    for (const link of this.#links.keys()) count += link.pending;
    for (const { runner } of this.#pool.loaded) count += runner.pending;
    return count;
  }

  get queued(): number {
    return this.#pool.loaded.reduce((most, { runner }) => Math.max(most, runner.queued), 0);
  }

  accept(connection: SimConnection): void {
    if (this.isDead) {
      connection.breakOff(connection.path.latencyMs, 0);
      return;
    }
    const link: Link = new Link(connection.cloud, this.#context, {
      onAuthenticated: () => {},
      onEnd: () => this.#links.delete(link),
    });
    this.#links.set(link, connection);
  }

  /** SIGKILL: the system closes the sockets. */
  kill(): void {
    this.clock.kill();
    for (const { edge, cloud, path } of this.#links.values()) {
      cloud.abandon();
      this.#world.clock.after(path.latencyMs, () => edge.vanish());
    }
    this.#links.clear();
  }

  /** SIGTERM: as `kerf serve` does. Resolves when the process has ended. */
  async drain(graceMs: number): Promise<void> {
    this.#isDraining = true;
    for (const link of this.#links.keys()) link.goAway(graceMs, 'the cloud is going away; connect again');
    const endMs = this.clock.nowMs() + graceMs;
    while (this.clock.nowMs() < endMs && this.#links.size > 0) await this.clock.sleep(20);
    for (const link of this.#links.keys()) link.close(1001, 'the cloud is going away');
    await this.clock.sleep(50);
    this.sessions.closeAll();
    this.#pool.close();
    await this.clock.sleep(5);
    this.kill();
  }

  crashAWorker(mayBlameJob: boolean): boolean {
    for (const worker of this.#workers) {
      if (worker.outstanding === 0) continue;
      worker.crash(mayBlameJob);
      return true;
    }
    return false;
  }

  #runner(files: ModelFiles, habits: WorkerHabits): ModelRunner {
    const { clock } = this;
    const worker = {
      load: { paths: files.paths } as WorkerSettings['load'],
      loadTimeoutMs: CLOUD_LIMITS.loadTimeoutMs,
      runTimeoutMs: CLOUD_LIMITS.runTimeoutMs,
      spoolBytes: 0,
      buffers: new AnswerBuffers(),
      clock,
      spawn: (settings: WorkerSettings, handler: ConstructorParameters<typeof SimWorker>[1]) => {
        const made: SimWorker = new SimWorker(
          settings,
          {
            ...handler,
            onRan: handler.onRan.bind(handler),
            onEnd: (end) => (this.#workers.delete(made), handler.onEnd(end)),
          },
          clock,
          habits,
        );
        this.#workers.add(made);
        return made;
      },
    };
    return new ModelRunner({
      id: files.release.model,
      version: files.release.version,
      worker,
      workers: CLOUD_LIMITS.workersPerModel,
      maxQueuedFrames: CLOUD_LIMITS.maxQueuedFrames,
      batching: { ...DEFAULT_BATCHING, maxRows: 4 },
      queue: DEFAULT_QUEUE,
      growth: CLOUD_LIMITS,
      meter: new Proxy({}, { get: () => () => {} }) as never,
      trace: null,
      log: () => {},
      clock,
    });
  }

  /** The folder of models: releases by their pair. */
  #catalog(): ModelCatalog {
    const candidates = async (id: string, pair: string | null): Promise<ModelFiles[]> => {
      if (id === CHAIN_MODEL) return this.#chains(pair);
      const found = this.#world.releases.filter((release) => this.#world.pairOf(release) === pair);
      if (found.length === 0) throw new KerfError('PAIR_MISMATCH', 'head and tail come from different splits');
      return found.map((version): ModelFiles => {
        const tail = this.#world.plants.wrongTail ? 3 - version : version;
        return {
          kind: 'tail',
          paths: [`tail-${tail}`],
          entries: null,
          entry: 0,
          identity: null,
          hashes: [],
          tables: [],
          bytes: 1,
          golden: null,
          release: { model: MODEL, version: String(version) },
          stamp: String(version),
        };
      });
    };
    return { candidates } as unknown as ModelCatalog;
  }

  /** Releases of the chain that can be divided so. */
  #chains(pair: string | null): ModelFiles[] {
    const found = this.#world.releases.flatMap((version) => {
      const at = [0, 1, 2].findIndex((one) => chainPairOf(version, one) === pair);
      return at < 0 ? [] : [{ version, at }];
    });
    if (found.length === 0) throw new KerfError('PAIR_MISMATCH', 'the edge has another chain');
    return found.map(({ version, at }): ModelFiles => {
      const served = this.#world.plants.wrongTail ? 3 - version : version;
      return {
        kind: 'chain',
        paths: Array.from({ length: SEGMENTS }, (_, segment) => `chain-${served}-${segment}`),
        entries: ENTRIES,
        entry: at,
        identity: null,
        hashes: [],
        tables: [],
        bytes: 1,
        golden: null,
        release: { model: CHAIN_MODEL, version: String(version) },
        stamp: String(version),
      };
    });
  }
}
