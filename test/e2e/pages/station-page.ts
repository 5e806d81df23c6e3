// The page of a station in a browser: pictures through a real model in a module worker, into an outbox and a sink.
import {
  type Capture,
  EdgeSession,
  mainModel,
  makeJudge,
  memoryDisk,
  Outbox,
  parseStationConfig,
  type ResultRecord,
  type Source,
  type SourceHandler,
  Station,
} from '@kerf/edge-runtime';
import { browserBackend, browserPictures } from '@kerf/edge-runtime/browser';
import { systemClock } from '@kerf/protocol';

/** A picture made here: white where `isDefective`, in one corner, on grey noise. */
async function pictureBytes(isDefective: boolean, format: 'png' | 'jpeg'): Promise<Uint8Array> {
  const side = 32;
  const data = Uint8ClampedArray.from({ length: side * side * 4 }, (_, at) => {
    const x = Math.floor(at / 4) % side;
    const y = Math.floor(at / 4 / side);
    if (at % 4 === 3) return 255;
    return isDefective && x < 12 && y < 12 ? 255 : 30 + ((at * 7919) % 20);
  });
  const canvas = new OffscreenCanvas(side, side);
  canvas.getContext('2d')?.putImageData(new ImageData(data, side, side), 0, 0);
  const blob = await canvas.convertToBlob({ type: `image/${format}`, quality: 0.95 });
  return new Uint8Array(await blob.arrayBuffer());
}

class ListSource implements Source {
  readonly name = 'list';
  readonly counters = {
    seen: 0,
    captured: 0,
    dropped: 0,
    skipped: 0,
    missed: 0,
    late: 0,
    repeated: 0,
    unreadable: 0,
    recoveries: 0,
  };
  private readonly captures: readonly Capture[];

  constructor(captures: readonly Capture[]) {
    this.captures = captures;
  }

  async start(handler: SourceHandler): Promise<void> {
    handler.onState({ kind: 'running' });
    for (const capture of this.captures) await handler.onCapture(capture);
    handler.onState({ kind: 'ended' });
  }

  trigger(): void {}

  async stop(): Promise<void> {}
}

const page = {
  async run(model: readonly number[]) {
    const createWorker = (): Worker => new Worker('./worker.js', { type: 'module' });
    const { backend } = await browserBackend({ prefer: 'wasm', wasmFolder: 'ort', createWorker });
    const whole = await backend.load({ bytes: Uint8Array.from(model) });
    const session = await EdgeSession.open({ split: null, head: null, local: { whole }, cloud: null });
    const config = parseStationConfig({
      format: 'kerf-station/1',
      station: 'page',
      source: { kind: 'folder', path: '-' },
      model: { path: '-' },
      task: { kind: 'anomaly' },
      thresholds: { passBelow: 0.3, ngAbove: 0.7 },
      deadline: '30 s',
      sinks: [{ kind: 'json-lines', path: '-' }],
    });
    const records: ResultRecord[] = [];
    const sink = {
      name: 'list',
      deliver: async ({ record }: { record: ResultRecord }) => void records.push(record),
      close: async () => {},
    };
    const outbox = await Outbox.open({ disk: memoryDisk(), sinks: [sink] });
    const capture = (partId: string, bytes: Uint8Array, format: 'png' | 'jpeg', sequence: number): Capture => ({
      source: 'list',
      sequence,
      key: null,
      takenAt: Date.now(),
      partId,
      picture: { kind: 'encoded', format, bytes },
      fault: null,
      isRepeat: false,
      isSimulated: true,
      onResult: null,
    });
    const station = new Station({
      station: config.station,
      run: 'run-1',
      source: new ListSource([
        capture('good', await pictureBytes(false, 'png'), 'png', 0),
        capture('bad', await pictureBytes(true, 'png'), 'png', 1),
        capture('bad-jpeg', await pictureBytes(true, 'jpeg'), 'jpeg', 2),
        capture('broken', Uint8Array.of(1, 2, 3), 'png', 3),
      ]),
      trigger: null,
      reading: {
        pictures: browserPictures,
        picture: config.picture,
        readable: config.readable,
        partId: config.partId,
        send: null,
      },
      main: mainModel(session, { release: 'built', hasCloud: false, canRunHere: true }),
      small: null,
      judges: { main: await makeJudge(config.task, { passBelow: 0.3, ngAbove: 0.7 }), small: null },
      store: outbox,
      isStoreLasting: false,
      stages: config.stages,
      deadlineMs: config.deadline,
      reconcileForMs: config.reconcileFor,
      clock: systemClock,
      random: Math.random,
      wallNow: Date.now,
    });
    await station.start();
    await station.stop();
    await outbox.drain(10_000);
    await outbox.close();
    session.close();
    await backend.dispose();
    return records;
  },
};

export type StationPage = typeof page;
Object.assign(globalThis, { page });
