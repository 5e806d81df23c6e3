// A number of faults -> real gateways, workers, edges and networks that suffer them, and what became of every part.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { CloudProcess } from '@kerf/cli';
import { buildModel } from '@kerf/onnx';
import { seededRandom } from '@kerf/protocol';
import { openWorkshop, pause, until, type Workshop } from '../e2e/support/workshop.ts';
import type { EdgeOrders } from './edge-process.ts';
import { type ChaosEdge, SessionEdge } from './edges.ts';
import { FaultProxy, GOOD_MOOD } from './fault-proxy.ts';
import { type ChaosReport, type Fault, judge } from './judge.ts';
import { isNetworkFault, NETWORK_FAULTS, type NetworkFault, networkFault } from './network-faults.ts';
import { StationEdge, writeStationModel } from './station-edge.ts';

export interface ChaosOptions {
  readonly faults: number;
  /** Devices with one session, and stations over a chain. */
  readonly edges: number;
  readonly stations: number;
  readonly seed: number;
  /** Between the beginnings of two faults, on average. */
  readonly gapMs: number;
  /** Of a fault that lasts. */
  readonly longestMs: number;
  /** Without faults, before the first. */
  readonly calmMs: number;
  readonly log: (line: string) => void;
}

const PROCESS_FAULTS = [
  'gateway-kill',
  'gateway-stop',
  'gateway-drain',
  'worker-kill',
  'worker-stop',
  'edge-kill',
  'edge-stop',
] as const;
const KINDS = [...NETWORK_FAULTS, ...PROCESS_FAULTS];
type ProcessFault = (typeof PROCESS_FAULTS)[number];

/** y = factor * max(x, 0): another release's tail would give other numbers. */
function scaler(factor: number): Uint8Array {
  const row = (name: string) => ({ name, dtype: 'float32' as const, shape: ['rows', 'n'] });
  const sums = Array.from({ length: factor - 1 }, (_, at) => ({
    op: 'Add',
    inputs: [at === 0 ? 'mid' : `s${at}`, 'mid'],
    outputs: [at === factor - 2 ? 'y' : `s${at + 1}`],
  }));
  return buildModel({
    nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['mid'] }, ...sums],
    inputs: [row('x')],
    outputs: [row('y')],
  });
}

/** @throws when the parts of the test itself cannot be started. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const shop = await openWorkshop();
  const chaos = new Chaos(shop, options);
  try {
    await chaos.start();
    await chaos.suffer();
    return await chaos.finish();
  } finally {
    await chaos.stop();
    await shop.remove();
  }
}

interface Replica {
  cloud: CloudProcess | null;
  readonly port: number;
  readonly proxy: FaultProxy;
  isBusy: boolean;
}

class Chaos {
  readonly #shop: Workshop;
  readonly #options: ChaosOptions;
  readonly #random: () => number;
  readonly #replicas: Replica[] = [];
  readonly #edges: ChaosEdge[] = [];
  readonly #faults: Fault[] = [];
  readonly #undoing = new Set<Promise<void>>();
  #calmMs = 0;

  constructor(shop: Workshop, options: ChaosOptions) {
    this.#shop = shop;
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  async start(): Promise<void> {
    const { models, folder, state } = this.#shop;
    await this.#shop.split(scaler(2), ['mid'], 'double');
    await this.#shop.split(scaler(3), ['mid'], 'triple');
    if (this.#options.stations > 0) await writeStationModel(folder, models);
    for (let count = 0; count < 2; count++) {
      const cloud = await this.#serve(0);
      const proxy = await FaultProxy.start(cloud.port, this.#random);
      this.#replicas.push({ cloud, port: cloud.port, proxy, isBusy: false });
    }
    const ca = await readFile(join(state, 'dev-cert.pem'), 'utf8');
    for (let number = 0; number < this.#options.edges; number++) {
      const model = number % 2 === 0 ? 'double' : 'triple';
      const home = join(folder, `edge-${number}`);
      await mkdir(home);
      const orders: EdgeOrders = {
        number,
        folder: home,
        split: join(models, model),
        model,
        factor: number % 2 === 0 ? 2 : 3,
        ports: this.#replicas.map(({ proxy }) => proxy.port),
        ca,
        token: await this.#shop.token(),
        withTail: number % 3 === 2,
        periodMs: 40,
        deadlineMs: 1500,
      };
      this.#edges.push(new SessionEdge(orders));
    }
    for (let number = 0; number < this.#options.stations; number++) {
      const ports = this.#replicas.map(({ proxy }) => proxy.port);
      const home = join(folder, `station-${number}`);
      const token = await this.#shop.token();
      this.#edges.push(await StationEdge.open({ number, folder: home, models, ports, ca, token }));
    }
    for (const edge of this.#edges) edge.start();
    await until(() => this.#edges.every(({ isServed }) => isServed), 'every edge is served by the cloud', 60_000);
    this.#calmMs = Date.now();
    await pause(this.#options.calmMs);
  }

  async suffer(): Promise<void> {
    const { faults, gapMs, log } = this.#options;
    let last = 0;
    while (this.#faults.length < faults) {
      this.#inflict(KINDS[Math.floor(this.#random() * KINDS.length)] as NetworkFault | ProcessFault);
      await pause(gapMs * (0.5 + this.#random()));
      if (this.#faults.length >= last + 50) log(`${(last = this.#faults.length)} faults`);
    }
    await Promise.all(this.#undoing);
  }

  async finish(): Promise<ChaosReport> {
    for (const { proxy } of this.#replicas) proxy.change(GOOD_MOOD);
    await until(() => this.#replicas.every(({ cloud }) => cloud !== null), 'every replica is back', 60_000);
    await until(() => this.#edges.every(({ isUp }) => isUp), 'every edge is back', 60_000);
    await until(() => this.#edges.every(({ isSettled }) => isSettled), 'every part at a station is judged', 120_000);
    await pause(500);
    const codes = await Promise.all(this.#edges.map(({ child }) => end(child)));
    return judge({
      edges: this.#edges.map((edge, index) => ({
        told: edge.told,
        sink: edge.sink,
        exitCode: codes[index] ?? null,
      })),
      faults: this.#faults,
      calmFromMs: this.#calmMs,
      calmMs: this.#options.calmMs,
    });
  }

  async stop(): Promise<void> {
    for (const edge of this.#edges) edge.close();
    for (const { cloud, proxy } of this.#replicas) {
      cloud?.child.kill('SIGCONT');
      await proxy.close();
    }
  }

  #serve(port: number): Promise<CloudProcess> {
    const preloaded = ['double', 'triple', ...(this.#options.stations > 0 ? ['chain'] : [])];
    return this.#shop.serve(port, ...preloaded.flatMap((model) => ['--preload', model]));
  }

  #inflict(kind: NetworkFault | ProcessFault): void {
    const replica = this.#replicas[Math.floor(this.#random() * this.#replicas.length)] as Replica;
    const edge = this.#edges[Math.floor(this.#random() * this.#edges.length)] as ChaosEdge;
    const forMs = 30 + this.#random() ** 2 * (this.#options.longestMs - 30);
    const undo = this.#deed(kind, replica, edge);
    if (undo === null) return;
    const fault: Fault = { kind, atMs: Date.now(), endMs: Number.POSITIVE_INFINITY };
    this.#faults.push(fault);
    const undone = pause(kind === 'reset' || kind === 'worker-kill' ? 0 : forMs)
      .then(undo)
      .finally(() => {
        fault.endMs = Date.now();
        this.#undoing.delete(undone);
      });
    this.#undoing.add(undone);
  }

  /** Does it. @returns how it is undone; null when it cannot be done now. */
  #deed(kind: NetworkFault | ProcessFault, replica: Replica, edge: ChaosEdge): (() => Promise<void> | void) | null {
    if (isNetworkFault(kind)) return networkFault(kind, replica.proxy, this.#random);
    switch (kind) {
      case 'gateway-kill':
        return this.#restarting(replica, (child) => void child.kill('SIGKILL'));
      case 'gateway-drain':
        return this.#restarting(replica, (child) => void child.kill('SIGTERM'));
      case 'gateway-stop':
        return this.#stopping(replica, replica.cloud?.child.pid);
      case 'worker-kill':
        return this.#killWorker(replica);
      case 'worker-stop':
        return this.#stopping(replica, workerOf(replica));
      case 'edge-kill':
        return this.#killEdge(edge);
      case 'edge-stop':
        return this.#stopping(edge, edge.child?.pid);
    }
  }

  #restarting(replica: Replica, deed: (child: ChildProcess) => void): (() => Promise<void>) | null {
    const { cloud } = replica;
    if (replica.isBusy || cloud === null) return null;
    replica.isBusy = true;
    deed(cloud.child);
    return async () => {
      await until(() => cloud.child.exitCode !== null || cloud.child.signalCode !== null, 'the gateway is gone');
      replica.cloud = await this.#serve(replica.port);
      replica.isBusy = false;
    };
  }

  #stopping(holder: { isBusy: boolean }, pid: number | undefined): (() => void) | null {
    if (holder.isBusy || pid === undefined || !signal(pid, 'SIGSTOP')) return null;
    holder.isBusy = true;
    return () => {
      signal(pid, 'SIGCONT');
      holder.isBusy = false;
    };
  }

  #killWorker(replica: Replica): (() => void) | null {
    const pid = workerOf(replica);
    return !replica.isBusy && pid !== undefined && signal(pid, 'SIGKILL') ? () => {} : null;
  }

  #killEdge(edge: ChaosEdge): (() => Promise<void>) | null {
    const { child } = edge;
    if (edge.isBusy || child === null) return null;
    edge.isBusy = true;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    return async () => {
      await gone;
      edge.start();
      edge.isBusy = false;
    };
  }
}

/** The worker that was ready last. */
function workerOf({ cloud }: Replica): number | undefined {
  const pid = cloud?.events.filter(({ event }) => event === 'worker-ready').at(-1)?.['pid'];
  return typeof pid === 'number' && pid > 1 ? pid : undefined;
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** SIGTERM; the edge finishes what it has. @returns its exit code, null for one that had to be killed. */
async function end(child: ChildProcess | null): Promise<number | null> {
  if (child === null) return null;
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 100_000);
  await gone;
  clearTimeout(timer);
  return child.exitCode;
}
