// A seed -> which faults befall a run, when, and how long; and how each is done to the simulated world.
import { type Random, seededRandom } from '@kerf/protocol';
import { FAULT_KINDS, type FaultKind } from './fault-counts.ts';
import type { SimCloud } from './sim-cloud.ts';
import type { SimDevice } from './sim-device.ts';
import type { World } from './world.ts';

export interface PlannedFault {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly forMs: number;
  /** Chooses the device, the gateway, the sink. */
  readonly which: number;
  readonly strength: number;
}

/** What faults can befall. */
export interface Afflicted {
  readonly world: World;
  readonly devices: readonly SimDevice[];
  readonly gateways: SimCloud[];
  /** What befalls the next jobs of workers. */
  readonly workerFates: { crashes: number; hangs: number };
  startGateway(slot: number): void;
  stopDevice(device: SimDevice, how: 'kill' | 'cut', later: (undo: () => void) => void): boolean;
}

export const FAULTS_END_MS = 3000;

export function planFaults(seed: number): PlannedFault[] {
  const random: Random = seededRandom(seed ^ 0x5eed);
  const count = 2 + Math.floor(random() * 9);
  const plan = Array.from(
    { length: count },
    (): PlannedFault => ({
      atMs: 20 + random() * FAULTS_END_MS * 0.7,
      kind: FAULT_KINDS[Math.floor(random() * FAULT_KINDS.length)] as FaultKind,
      forMs: 20 + random() ** 2 * 2000,
      which: random(),
      strength: random(),
    }),
  );
  return plan.sort((a, b) => a.atMs - b.atMs);
}

const choose = <T>(items: readonly T[], which: number): T => items[Math.floor(which * items.length)] as T;

/** Does it; what it takes away comes back after `forMs`. Counted only where there was something to befall. */
export function inflict(fault: PlannedFault, sim: Afflicted): void {
  const { world } = sim;
  const happened = DEEDS[fault.kind](fault, sim, (undo) => void world.clock.after(fault.forMs, undo));
  if (!happened) return;
  world.faults.add(fault.kind);
  world.note(`fault ${fault.kind} for ${fault.forMs.toFixed(0)} ms`);
}

type Deed = (fault: PlannedFault, sim: Afflicted, later: (undo: () => void) => void) => boolean;

const onPath =
  (change: (fault: PlannedFault, sim: Afflicted, device: SimDevice) => () => void): Deed =>
  (fault, sim, later) => {
    later(change(fault, sim, choose(sim.devices, fault.which)));
    return true;
  };

const onLink =
  (deed: (connection: SimDevice['connections'][number], fault: PlannedFault) => void): Deed =>
  (fault, sim) => {
    const open = choose(sim.devices, fault.which).connections.filter(({ isOpen }) => isOpen);
    for (const connection of open) deed(connection, fault);
    return open.length > 0;
  };

const DEEDS: Record<FaultKind, Deed> = {
  'link-lost': onLink((connection, { strength }) => connection.breakOff(strength * 30, (1 - strength) * 30)),
  'half-open': onLink(({ path, clock }, { which, forMs }) => {
    const untilMs = clock.nowMs() + forMs;
    if (which < 0.5) path.upStalledUntilMs = untilMs;
    else path.downStalledUntilMs = untilMs;
  }),
  stall: onPath(({ forMs }, { world }, { path }) => {
    path.upStalledUntilMs = path.downStalledUntilMs = world.clock.nowMs() + forMs;
    return () => {};
  }),
  'latency-spike': onPath(({ strength }, _, { path }) => {
    path.latencyMs = path.usual.latencyMs + strength * 400;
    path.jitterMs = strength * 100;
    return () => {
      path.latencyMs = path.usual.latencyMs;
      path.jitterMs = 0;
    };
  }),
  'bandwidth-collapse': onPath(({ strength }, _, { path }) => {
    path.bytesPerMs = path.usual.bytesPerMs * (0.002 + 0.05 * strength);
    return () => {
      path.bytesPerMs = path.usual.bytesPerMs;
    };
  }),
  // The device gives the link up at once; what it had sent still arrives, after its next link has brought the same again.
  'late-duplicates': onLink((connection, { forMs }) => {
    connection.path.upStalledUntilMs = Math.max(connection.path.upStalledUntilMs, connection.clock.nowMs() + 30);
    connection.breakOff(0, forMs);
  }),
  'connect-refused': onPath((_fault, _sim, device) => {
    device.path.isDown = true;
    for (const connection of device.connections) connection.breakOff(1, 5);
    return () => {
      device.path.isDown = false;
    };
  }),
  'message-cut-short': onLink(({ cloud, edge }, { strength }) => {
    const end = strength < 0.5 ? cloud : edge;
    end.cutShortAt = end.sent + 1 + Math.floor(strength * 4);
  }),
  'slow-consumer': onPath(({ strength }, _, { path }) => {
    path.readBytesPerMs = 0.01 + strength * 0.2;
    return () => {
      path.readBytesPerMs = Number.POSITIVE_INFINITY;
    };
  }),
  'worker-crash': ({ strength }, sim) => {
    sim.workerFates.crashes += 1 + Math.floor(strength * 3);
    return true;
  },
  'worker-killed': (_, sim) => sim.gateways.some((gateway) => !gateway.isDead && gateway.crashAWorker(false)),
  'worker-hang': (_, sim) => {
    sim.workerFates.hangs++;
    return true;
  },
  'gateway-kill': ({ which }, sim, later) => {
    const slot = Math.floor(which * sim.gateways.length);
    if (sim.gateways[slot]?.isDead !== false) return false;
    sim.gateways[slot]?.kill();
    later(() => sim.startGateway(slot));
    return true;
  },
  'gateway-drain': ({ which, strength, forMs }, sim) => {
    const slot = Math.floor(which * sim.gateways.length);
    const gateway = sim.gateways[slot];
    if (gateway === undefined || gateway.isDead || gateway.isLeaving) return false;
    void gateway.drain(strength * 800).then(() => sim.world.clock.after(forMs / 4, () => sim.startGateway(slot)));
    return true;
  },
  'token-expired': ({ strength }, sim, later) => {
    sim.world.tokenLifeMs = 20 + strength * 400;
    later(() => {
      sim.world.tokenLifeMs = 20_000;
    });
    return true;
  },
  'cloud-clock-jump': ({ strength, which }, { world }) => {
    world.jumpCloudClock((which < 0.5 ? -1 : 1) * strength * 7_200_000);
    return true;
  },
  'release-swap': ({ strength }, { world }) => {
    world.releases = world.releases.length === 2 ? (strength < 0.5 ? [2] : [1]) : [2, 1];
    return true;
  },
  'device-kill': ({ which }, sim, later) => sim.stopDevice(choose(sim.devices, which), 'kill', later),
  'power-cut': ({ which }, sim, later) => sim.stopDevice(choose(sim.devices, which), 'cut', later),
  'disk-full': ({ which, strength }, sim, later) => {
    const device = choose(sim.devices, which);
    const used = device.disk?.usedBytes ?? 0;
    const set = (bytes: number): void => {
      device.diskMaxBytes = bytes;
      if (device.disk !== null) device.disk.maxBytes = bytes;
    };
    set(used + Math.floor(strength * 1500));
    later(() => set(Number.POSITIVE_INFINITY));
    return true;
  },
  'disk-fails': ({ which, strength }, sim, later) => {
    const device = choose(sim.devices, which);
    device.diskFate = () => (sim.world.chance(0.1 + 0.5 * strength) ? 'fail' : 'ok');
    later(() => {
      device.diskFate = () => 'ok';
    });
    return true;
  },
  'sink-blocked': onSink('refuses'),
  'sink-hangs': onSink('hangs'),
  'sink-fails-after-commit': onSink('fails-after-commit'),
};

function onSink(mode: 'refuses' | 'hangs' | 'fails-after-commit'): Deed {
  return ({ which, strength }, sim, later) => {
    const sink = choose(choose(sim.devices, which).sinks, strength);
    sink.mode = mode;
    later(() => {
      sink.mode = 'takes';
    });
    return true;
  };
}
