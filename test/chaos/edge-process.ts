// A device in a process of its own: inspects parts without end, keeps results in its outbox, and tells what it promised.
// It is killed and stopped at any time; what it told is in a file, so that the next life goes on behind it.
import { appendFileSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { EdgeSession, Outbox, type OutboxConfig } from '@kerf/edge-runtime';
import { nodeBackend, openFolderDisk, openSplitFolder, wsConnect } from '@kerf/edge-runtime/node';
import { float32Tensor, type TensorMap, typedView } from '@kerf/protocol';
import { BLANK } from '../sim/blank-record.ts';

export interface EdgeOrders {
  readonly number: number;
  readonly folder: string;
  readonly split: string;
  readonly model: string;
  /** What the model's answer is of its positive inputs. */
  readonly factor: number;
  readonly ports: readonly number[];
  readonly ca: string;
  readonly token: string;
  readonly withTail: boolean;
  readonly periodMs: number;
  readonly deadlineMs: number;
}

type ResultRecord = Parameters<Outbox['put']>[0];
type Sink = OutboxConfig['sinks'][number];

const ROW = 64;
const WIDTH = 6;
const orders = JSON.parse(process.env['KERF_CHAOS_EDGE'] ?? '{}') as EdgeOrders;
const toldFile = join(orders.folder, 'told.txt');
const told = existsSync(toldFile) ? readFileSync(toldFile, 'utf8') : '';
/** `safe KEY`, `frame TIME MS PLACE`, `wrong KEY`: whole lines only. */
if (told !== '' && !told.endsWith('\n')) truncateSync(toldFile, told.lastIndexOf('\n') + 1);
const tell = (line: string): void => appendFileSync(toldFile, `${line}\n`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const ending = new AbortController();
process.on('SIGTERM', () => ending.abort());

const safe = new Set([...told.matchAll(/^safe (\S+)$/gm)].map((match) => match[1] as string));
const disk = await openFolderDisk(join(orders.folder, 'outbox'));
const outbox = await Outbox.open({ disk, sinks: [fileSink()], options: { backoffBaseMs: 20, backoffMaxMs: 200 } });
const backend = await nodeBackend({ runtime: 'onnxruntime-node' });
const opened = await openSplitFolder(orders.split, { backend, withTail: orders.withTail });
let nextPort = orders.number;
const session = await EdgeSession.open({
  ...opened,
  cloud: {
    model: orders.model,
    token: orders.token,
    // As a balancer would: the next replica at each connect.
    connect: (signal) =>
      wsConnect({ url: `wss://127.0.0.1:${orders.ports[nextPort++ % orders.ports.length]}`, ca: orders.ca })(signal),
  },
  options: {
    deadlineMs: orders.deadlineMs,
    connectTimeoutMs: 1500,
    openTimeoutMs: 3000,
    pingIntervalMs: 250,
    peerTimeoutMs: 1000,
    backoffBaseMs: 30,
    backoffMaxMs: 300,
    awayGraceMs: 100,
  },
});
tell(`alive ${process.pid}`);

let order: Promise<unknown> = Promise.resolve();
const underWay = new Set<Promise<unknown>>();
for (let part = 0; !ending.signal.aborted; part++) {
  const id = `e${orders.number}-${part}`;
  if (safe.has(`${id}#0`)) continue;
  const before = order;
  const record = inspect(id, part);
  order = record.then(async (made) => {
    await before;
    await store(made);
  });
  const one = order.finally(() => underWay.delete(one));
  underWay.add(one);
  if (underWay.size >= WIDTH) await Promise.race(underWay);
  await pause(orders.periodMs);
  if (part % 5 === 0) await reconcile(1);
}
await order;
for (const endMs = Date.now() + 60_000; outbox.unsettled.length > 0 && Date.now() < endMs; ) {
  await reconcile(1000);
  await pause(50);
}
const isEmpty = await outbox.drain(30_000);
tell(`end ${outbox.unsettled.length} ${isEmpty}`);
await outbox.close();
await disk.close();
session.close();
await opened.dispose();
await backend.dispose();
process.exit(0);

async function infer(part: number, deadlineMs: number): Promise<'split' | 'edge' | 'failed'> {
  const startMs = performance.now();
  const outcome = await session.infer(inputOf(part), { deadlineMs });
  const place = outcome.kind === 'failed' ? 'failed' : outcome.placement === 'split' ? 'split' : 'edge';
  tell(`frame ${Date.now()} ${(performance.now() - startMs).toFixed(1)} ${place}`);
  if (outcome.kind === 'result') {
    const y = typedView(outcome.outputs.get('y')!) as Float32Array;
    const isRight =
      y.length === ROW && y.every((value, at) => value === orders.factor * Math.max(0, at - (part % ROW) + 1));
    if (!isRight) tell(`wrong e${orders.number}-${part}`);
  }
  return place;
}

async function inspect(id: string, part: number): Promise<ResultRecord> {
  const isAnswered = (await infer(part, orders.deadlineMs)) !== 'failed';
  return { ...BLANK, resultId: id, frame: part, verdict: isAnswered ? 'NG' : 'REVIEW', isPartial: !isAnswered };
}

async function store(record: ResultRecord): Promise<void> {
  const kept = { kind: 'encoded', format: 'png', bytes: Uint8Array.of(1, 2, 3) } as const;
  await outbox.put(record, record.isPartial ? { kept } : {});
  tell(`safe ${record.resultId}#${record.revision}`);
}

async function reconcile(atMost: number): Promise<void> {
  for (const { resultId } of outbox.unsettled.slice(0, atMost)) {
    const kept = await outbox.readUnsettled(resultId);
    if (kept === null) continue;
    const { record } = kept;
    if ((await infer(record.frame, 3000)) === 'failed') return;
    await store({ ...record, revision: record.revision + 1, verdict: 'NG', isPartial: false });
  }
}

function inputOf(part: number): TensorMap {
  const values = Float32Array.from({ length: ROW }, (_, at) => at - (part % ROW) + 1);
  return new Map([['x', float32Tensor([1, ROW], values)]]);
}

/** Lines that are there already are not written again; half of one, from a kill, is cut off. */
function fileSink(): Sink {
  const file = join(orders.folder, 'sink.txt');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(file, whole.length);
  const there = new Set(whole.split('\n'));
  const handle = openSync(file, 'a');
  return {
    name: 'file',
    async deliver({ record }) {
      const line = `${record.resultId}#${record.revision} ${record.isPartial ? 'provisional' : 'final'}`;
      if (there.has(line)) return;
      writeSync(handle, `${line}\n`);
      fsyncSync(handle);
      there.add(line);
    },
    async close() {},
  };
}
