// A seed -> a world of devices, gateways, workers, links, disks and sinks, run to its rest and judged.

import type { FaultKind } from './fault-counts.ts';
import { FAULTS_END_MS, inflict, type PlannedFault, planFaults } from './fault-plan.ts';
import { checkBounds, checkEnd } from './invariants.ts';
import { NO_PLANTS, type Plants } from './plants.ts';
import { SessionDevice } from './session-device.ts';
import { SimCloud } from './sim-cloud.ts';
import type { SimDevice } from './sim-device.ts';
import { SimSink } from './sim-sink.ts';
import type { WorkerHabits } from './sim-worker.ts';
import { StationDevice } from './station-device.ts';
import { World } from './world.ts';

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Equal for two runs of a seed, or the simulation is not deterministic. */
  readonly hash: string;
  readonly events: number;
  readonly frames: number;
  /** Changes of a route. */
  readonly switches: number;
  readonly virtualMs: number;
  readonly lines: readonly string[];
}

/** What devices run: one session with a small program around it, or a whole station over a chain. */
export type WorldKind = 'session' | 'station';

export interface SeedOptions {
  /** @default by the seed: even ones sessions, odd ones stations */
  readonly kind?: WorldKind;
  readonly plants?: Partial<Plants>;
  readonly keepsTrace?: boolean;
  /** Instead of those that the seed plans. */
  readonly faults?: readonly PlannedFault[];
}

/** Everything is whole again after the faults; then it must come to rest within this time. */
const REST_MS = 120_000;
const LOOK_EVERY_MS = 100;

export class Simulation {
  readonly world: World;
  readonly devices: readonly SimDevice[];
  readonly gateways: SimCloud[];
  /** What befalls the next jobs of workers. */
  readonly workerFates = { crashes: 0, hangs: 0 };
  readonly #habits: WorkerHabits;
  readonly #kind: WorldKind;

  constructor(seed: number, { plants = {}, keepsTrace = false, kind = kindOf(seed) }: SeedOptions) {
    this.#kind = kind;
    const world = new World(seed, { ...NO_PLANTS, ...plants }, keepsTrace);
    this.world = world;
    this.#habits = {
      frameMs: () => world.between(0.5, 6),
      loadMs: () => world.between(5, 120),
      fate: () => this.#fate(),
      swapsAnswers: world.plants.swapsAnswers,
    };
    this.gateways = [new SimCloud(world, this.#habits), new SimCloud(world, this.#habits)];
    const count = 1 + Math.floor(world.random() * 2);
    this.devices = Array.from({ length: count }, (_, number) => this.#device(number));
  }

  #device(number: number): SimDevice {
    const { world } = this;
    const sinks = [new SimSink(`sink-${number}a`, world), new SimSink(`sink-${number}b`, world)];
    const setup = {
      number,
      parts: (8 + Math.floor(world.random() * 10)) * (this.#kind === 'station' ? 2 : 1),
      periodMs: world.between(20, 250),
      deadlineMs: world.between(80, 900),
      hasTail: world.chance(0.4),
      syncEveryMs: 0,
      maxRecords: world.chance(0.3) ? 5 : 1000,
    };
    const Device = this.#kind === 'session' ? SessionDevice : StationDevice;
    return new Device(setup, world, () => this.gateways, sinks);
  }

  #fate(): 'runs' | 'crashes' | 'hangs' {
    if (this.workerFates.crashes > 0) {
      this.workerFates.crashes--;
      return 'crashes';
    }
    if (this.workerFates.hangs > 0) {
      this.workerFates.hangs--;
      return 'hangs';
    }
    return 'runs';
  }

  startGateway(slot: number): void {
    if (this.gateways[slot]?.isDead !== true) return;
    this.world.note(`gateway ${slot} starts`);
    this.gateways[slot] = new SimCloud(this.world, this.#habits);
  }

  stopDevice(device: SimDevice, how: 'kill' | 'cut', later: (undo: () => void) => void): boolean {
    if (!device.isAlive) return false;
    device.stop(how);
    later(() => {
      if (!device.isAlive) device.start();
    });
    return true;
  }

  async run(faults: readonly PlannedFault[]): Promise<void> {
    const { world, devices } = this;
    for (const device of devices) device.start();
    for (const fault of faults) world.clock.after(fault.atMs, () => inflict(fault, this));
    const look = (): void => {
      checkBounds(world, devices, this.gateways);
      world.clock.after(LOOK_EVERY_MS, look);
    };
    look();
    let isQuiet = false;
    const isDone = (): boolean => world.violations.length > 0 || isQuiet;
    const quiet = (): void => {
      isQuiet =
        devices.every((device) => device.isDone && device.unfinishedFrames === 0) &&
        this.gateways.every((gateway) => gateway.isDead || gateway.pending === 0);
      if (!isQuiet) world.clock.after(LOOK_EVERY_MS, quiet);
    };
    const lastMs = Math.max(0, ...faults.map(({ atMs, forMs }) => atMs + forMs));
    world.clock.after(Math.max(lastMs, 100), quiet);
    await world.clock.runUntil(FAULTS_END_MS + REST_MS, isDone);
    if (world.violations.length === 0) checkEnd(world, devices, this.gateways);
  }
}

function kindOf(seed: number): WorldKind {
  return seed % 2 === 0 ? 'session' : 'station';
}

export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const faults = options.faults ?? planFaults(seed);
  const sim = new Simulation(seed, options);
  await sim.run(faults);
  const { world, devices } = sim;
  return {
    seed,
    violations: world.violations,
    faults: world.faults.counts,
    hash: world.trace.hash,
    events: world.trace.events,
    frames: devices.reduce((sum, { setup }) => sum + setup.parts, 0),
    switches: world.switches,
    virtualMs: world.clock.nowMs(),
    lines: world.trace.lines,
  };
}

/** The fewest faults with which the seed still breaks something, found by leaving out one after the other. */
export async function shrink(seed: number, options: SeedOptions = {}): Promise<readonly PlannedFault[]> {
  let faults = options.faults ?? planFaults(seed);
  for (let index = 0; index < faults.length; ) {
    const fewer = faults.filter((_, at) => at !== index);
    const { violations } = await runSeed(seed, { ...options, faults: fewer });
    if (violations.length > 0) faults = fewer;
    else index++;
  }
  return faults;
}
