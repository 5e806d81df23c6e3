// A `kerf station` process over a chain, fed by a folder -> the story of an edge: what it took in, and what its sink has.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { KERF_BIN } from '@kerf/cli';
import { encodePng } from '@kerf/models';
import { buildModel } from '@kerf/onnx';
import { openModelFile } from '@kerf/onnx/node';
import { writeChain } from '@kerf/splitter/node';
import type { ResultRecord } from '../../packages/edge-runtime/src/station/result-record.ts';
import { reference } from '../e2e/support/workshop.ts';
import type { ChaosEdge } from './edges.ts';

const SIDE = 8;
/** Parts that look alike come again after so many. */
const LOOKS = 200;
const FEED_EVERY_MS = 150;

/** Twice the brightest value of the picture, in three segments; what else there is lies below it. */
export async function writeStationModel(folder: string, models: string): Promise<void> {
  const row = { dtype: 'float32' as const, shape: [1, 3, SIDE, SIDE] };
  const path = join(folder, 'station.onnx');
  await writeFile(
    path,
    buildModel({
      nodes: [
        { op: 'Relu', inputs: ['image'], outputs: ['a'] },
        { op: 'Add', inputs: ['a', 'a'], outputs: ['b'] },
        { op: 'ReduceMax', inputs: ['b'], outputs: ['score'], attributes: { axes: [1, 2, 3], keepdims: 0 } },
      ],
      inputs: [{ name: 'image', ...row }],
      outputs: [{ name: 'score', dtype: 'float32', shape: [1] }],
    }),
  );
  const model = await openModelFile(path);
  await writeChain({ model, cuts: [['a'], ['b']], folder: join(models, 'chain'), backend: reference });
}

/** The value that makes the part's score: from 50 to 249 of 255. */
const peakOf = (part: number): number => 50 + (part % LOOKS);
const scoreOf = (part: number): number => 2 * Math.fround(peakOf(part) * Math.fround(1 / 255));
const THRESHOLDS = { passBelow: 0.9, ngAbove: 1.4 };

/** The picture, dim but for one pixel. */
function pictureOf(part: number): Buffer {
  const data = Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, at) => (at === 7 ? peakOf(part) : (at * 7) % 45));
  return encodePng(SIDE, SIDE, 3, data);
}

export interface StationOrders {
  readonly number: number;
  readonly folder: string;
  readonly models: string;
  readonly ports: readonly number[];
  readonly ca: string;
  readonly token: string;
}

export class StationEdge implements ChaosEdge {
  child: ChildProcess | null = null;
  isBusy = false;
  readonly #orders: StationOrders;
  readonly #balancer: Server;
  readonly #alive = new Set<number>();
  #fed = 0;
  #timer: NodeJS.Timeout | null = null;

  private constructor(orders: StationOrders, balancer: Server) {
    this.#orders = orders;
    this.#balancer = balancer;
  }

  static async open(orders: StationOrders): Promise<StationEdge> {
    const { folder, models, ca, token, ports, number } = orders;
    await mkdir(join(folder, 'in'), { recursive: true });
    await writeFile(join(folder, 'ca.pem'), ca);
    await writeFile(join(folder, 'token'), token);
    const balancer = await balance(ports);
    const { port } = balancer.address() as { port: number };
    const source = {
      kind: 'folder',
      path: 'in',
      partId: '^[^.]+',
      whenRead: 'remember',
      state: '.state',
      settle: '0 ms',
    };
    const station = {
      format: 'kerf-station/1',
      station: `chaos-${number}`,
      source: { ...source, atEnd: 'watch' },
      // One that finds the best route by itself would need nobody for so small a model.
      model: { path: join(models, 'chain'), route: 'cut-1' },
      cloud: { url: `wss://127.0.0.1:${port}`, tokenFile: 'token', ca: 'ca.pem' },
      task: { kind: 'anomaly' },
      thresholds: THRESHOLDS,
      deadline: '1500 ms',
      outbox: { path: 'outbox' },
      sinks: [{ kind: 'json-lines', path: 'records.jsonl' }],
    };
    writeFileSync(join(folder, 'station.json'), JSON.stringify(station));
    return new StationEdge(orders, balancer);
  }

  start(): void {
    const { folder } = this.#orders;
    const child = spawn(process.execPath, [KERF_BIN, 'station', 'station.json', '--json'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{"kind":"started"')) this.#alive.add(child.pid ?? 0);
    });
    this.child = child;
    this.#timer ??= setInterval(() => void this.#feed(), FEED_EVERY_MS);
  }

  get isUp(): boolean {
    return this.#alive.has(this.child?.pid ?? -1);
  }

  get isServed(): boolean {
    return this.#records().some(({ placement }) => placement === 'split' || placement === 'cloud');
  }

  /** No more parts; true when every one has its final record. */
  get isSettled(): boolean {
    if (this.#timer !== null) clearInterval(this.#timer);
    const finals = new Set(this.#records().flatMap(({ isPartial, partId }) => (isPartial ? [] : [partId])));
    return finals.size >= this.#fed;
  }

  /** Every part that was put before the camera has to have its record. */
  get told(): string {
    const fed = Array.from({ length: this.#fed }, (_, part) => `safe p${part}#0`);
    const frames = this.#records().flatMap(({ revision, creationTime, totalMs, placement }) =>
      revision > 0 ? [] : [`frame ${Date.parse(creationTime)} ${totalMs.toFixed(1)} ${placeOf(placement)}`],
    );
    const wrong = this.#records().flatMap((record) => (isRight(record) ? [] : [`wrong ${record.partId ?? '?'}`]));
    return [...fed, ...frames, ...wrong, `end 0 ${this.isSettled}`, ''].join('\n');
  }

  get sink(): string {
    const line = ({ partId, revision, isPartial }: ResultRecord): string =>
      `${partId}#${revision} ${isPartial ? 'provisional' : 'final'}\n`;
    return this.#records().map(line).join('');
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.child?.kill('SIGKILL');
    this.#balancer.close();
  }

  async #feed(): Promise<void> {
    const { folder } = this.#orders;
    const part = this.#fed++;
    const draft = join(folder, `p${part}.tmp`);
    await writeFile(draft, pictureOf(part));
    await rename(draft, join(folder, 'in', `p${part}.png`));
  }

  #records(): readonly ResultRecord[] {
    const file = join(this.#orders.folder, 'records.jsonl');
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return whole.filter((line) => line !== '').map((line) => JSON.parse(line) as ResultRecord);
  }
}

/** A final record has the part's own score, and the verdict that follows from it; a provisional one passes nothing. */
function isRight({ partId, score, verdict, isPartial }: ResultRecord): boolean {
  if (isPartial) return verdict === 'REVIEW';
  const wanted = scoreOf(Number(partId?.slice(1)));
  const { passBelow, ngAbove } = THRESHOLDS;
  const said = wanted < passBelow ? 'PASS' : wanted >= ngAbove ? 'NG' : 'REVIEW';
  return score !== null && Math.abs(score - wanted) < 1e-6 && verdict === said;
}

function placeOf(placement: ResultRecord['placement']): 'split' | 'edge' | 'failed' {
  if (placement === 'none') return 'failed';
  return placement === 'split' || placement === 'cloud' ? 'split' : 'edge';
}

/** One address before several: each connection goes to the next. */
async function balance(ports: readonly number[]): Promise<Server> {
  let next = 0;
  const server = createServer((near: Socket) => {
    const far = connect({ host: '127.0.0.1', port: ports[next++ % ports.length] ?? 0 });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
