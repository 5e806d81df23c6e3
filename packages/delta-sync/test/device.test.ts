// Updates of a device against mirrors that break off, lie, stall or lack a file, and against releases that fail on it.
import {
  Device,
  type DeviceEvent,
  type DeviceOptions,
  type DeviceStorage,
  type FetchedFile,
  LAST_FORMAT,
  MirrorSet,
  parseMaintenanceWindow,
  REPOSITORY_PATHS,
  readState,
} from '@kerf/delta-sync';
import { KerfError, seededRandom } from '@kerf/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { instantClock, noise, runningOf, World } from './support/device-world.ts';
import { PowerSupply } from './support/power-loss-disk.ts';
import { DAY_MS, NOW_MS } from './support/trust.ts';

let world: World;
let storage: DeviceStorage;
const base = noise(9000, 1);
const next = base.slice();
next.set(noise(900, 2), 3000);

beforeEach(async () => {
  world = await World.create();
  storage = new PowerSupply(seededRandom(1)).storage();
  await world.ship(storage);
  await world.publish('1.0', { 'model.onnx': base });
});

const opened = async (change: Partial<DeviceOptions> = {}): Promise<Device> =>
  Device.open(world.device(storage, change));
const refused = (code: string, message = /./): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string });

/** 1.0 runs, 1.1 is published. */
async function withNext(): Promise<void> {
  await (await opened()).update();
  await world.publish('1.1', { 'model.onnx': next });
}

describe('looking before installing', () => {
  test('lists what was released, the newest first, and says what each would cost', async () => {
    await withNext();
    const device = await opened();
    const [newest, first, none] = await device.releases(5);
    expect([newest?.manifest.version, first?.manifest.version, none]).toEqual(['1.1', '1.0', undefined]);
    const [file] = await device.plan(newest as NonNullable<typeof newest>);
    expect(file).toMatchObject({ name: 'model.onnx', way: 'delta', bytes: 9000 });
    expect(file?.fetchBytes).toBeLessThan(2500);
    expect(await device.plan(first as NonNullable<typeof first>)).toMatchObject([{ way: 'copy', fetchBytes: 0 }]);
    expect((await device.releases(1)).map(({ manifest }) => manifest.version)).toEqual(['1.1']);
  });

  test('a release can be staged first, and is switched to without fetching again', async () => {
    await withNext();
    let bytes = 0;
    const events: DeviceEvent[] = [];
    const device = await opened({
      onBytes: (some) => void (bytes += some),
      onEvent: (event) => void events.push(event),
    });
    const candidate = (await device.check()) as NonNullable<Awaited<ReturnType<Device['check']>>>;
    expect(await device.staged()).toBeNull();
    expect(await device.stage(candidate)).toBeNull();
    expect(bytes).toBeGreaterThan(0);
    expect(device.state.active?.version).toBe('1.0');
    expect(await device.staged()).toMatchObject({
      slot: 1,
      id: candidate.release.sha256,
      manifest: { version: '1.1' },
    });
    bytes = 0;
    await expect(device.installStaged('0'.repeat(64))).rejects.toEqual(refused('CONTENT_MISMATCH'));
    // Without a mirror: the stick is back in its drawer.
    expect(await device.installStaged(candidate.release.sha256)).toBe('switched');
    expect(bytes).toBe(0);
    expect(device.state).toMatchObject({ active: { version: '1.1' }, previous: { version: '1.0' }, trialStarts: 0 });
    // What lies in the other slot now is the way back, not something new.
    expect(await device.staged()).toBeNull();
    await expect(device.stage(candidate)).rejects.toEqual(refused('INVALID_ARGUMENT', /probation/));
  });

  test('a pinned device takes its version and no other', async () => {
    await withNext();
    const pinned = await opened({ pinned: '1.0' });
    expect(await pinned.update()).toBe('current');
    await expect(pinned.update({ version: '1.1' })).rejects.toEqual(refused('CONFLICT', /pinned to 1\.0/));
    expect(await (await opened({ pinned: '1.1' })).update()).toBe('switched');
  });
});

describe('fetching', () => {
  test('a first release comes as a blob, the next one as a delta', async () => {
    const events: DeviceEvent[] = [];
    const onEvent = (event: DeviceEvent): void => void events.push(event);
    const device = await opened({ onEvent });
    expect(await device.update()).toBe('switched');
    await world.publish('1.1', { 'model.onnx': next });
    expect(await device.update()).toBe('switched');
    const ways = events.flatMap((event) =>
      event.kind === 'fetched' ? [[event.file.way, event.file.fetchedBytes]] : [],
    );
    expect(ways[0]).toEqual(['blob', 9000]);
    expect(ways[1]?.[0]).toBe('delta');
    expect(ways[1]?.[1]).toBeLessThan(2500);
    expect(await device.update()).toBe('current');
    expect((await runningOf(world.device(storage))).version).toBe('1.1');
  });

  test('a delta that nobody listed is asked for, and used when it makes the right file', async () => {
    const [large, other] = [noise(80_000, 3), noise(80_000, 3)];
    other.set(noise(500, 4), 40_000);
    await world.publish('2.0', { 'model.onnx': large });
    await (await opened()).update();
    await world.publish('2.1', { 'model.onnx': other }, {}, false);
    await world.makeDelta('model.onnx', large, other);
    await (await opened()).confirm();
    world.requests.length = 0;
    await (await opened()).update();
    expect(world.requests.some((one) => one.includes('deltas/'))).toBe(true);
    expect(world.requests.some((one) => one.includes('blobs/'))).toBe(false);
  });

  describe('a delta of a format that this device cannot read', () => {
    const versionOf = (path: string, bytes: Uint8Array | null, version: number): Uint8Array | null =>
      path.startsWith('deltas/') && bytes !== null ? bytes.with(7, version) : bytes;
    /** 1.0 runs. @returns how the file of 1.1 came, from two mirrors */
    async function updated(first: ReturnType<World['mirror']>): Promise<FetchedFile | undefined> {
      await (await opened()).update();
      await world.publish('1.1', { 'model.onnx': next });
      world.requests.length = 0;
      const events: DeviceEvent[] = [];
      const mirrors = new MirrorSet({ mirrors: [first, world.mirror('second')], clock: instantClock });
      const device = await opened({ mirrors, onEvent: (event) => void events.push(event) });
      expect(await device.update()).toBe('switched');
      expect((await runningOf(world.device(storage))).version).toBe('1.1');
      return events.flatMap((event) => (event.kind === 'fetched' ? [event.file] : []))[0];
    }
    const asked = (folder: string): string[] => world.requests.filter((one) => one.includes(` ${folder}/`));

    test('is looked at once, and the whole file is taken from the same mirror', async () => {
      world.deltaVersion = LAST_FORMAT + 1;
      const file = await updated(world.mirror('first'));
      expect(file).toMatchObject({
        way: 'blob',
        fallbackMessage: expect.stringContaining(`version ${LAST_FORMAT + 1} of the format`),
      });
      expect(asked('deltas').map((one) => one.split(' ')[0])).toEqual(['first', 'first']);
      expect(asked('blobs').map((one) => one.split(' ')[0])).toEqual(['first']);
    });

    test('by the word of one mirror only: the other one has it as it was signed', async () => {
      const file = await updated(world.mirror('first', (path, bytes) => versionOf(path, bytes, 9)));
      expect(file).toMatchObject({ way: 'delta', fallbackMessage: null });
      expect(asked('blobs')).toEqual([]);
    });
  });

  test('a mirror that breaks off at any byte: the fetch goes on where it was', async () => {
    let served = 0;
    const flaky = world.mirror('flaky');
    const mirrors = new MirrorSet({
      mirrors: [
        {
          name: 'flaky',
          async open(path, offset, length) {
            const pieces = await flaky.open(path, offset, length);
            if (pieces === null || !path.startsWith('blobs/')) return pieces;
            return (async function* () {
              for await (const piece of pieces) {
                if (++served % 3 === 0) throw new KerfError('MIRROR_UNAVAILABLE', 'the line is gone');
                yield piece;
              }
            })();
          },
        },
      ],
      clock: instantClock,
    });
    const limits = { pieceBytes: 500, syncBytes: 1000, retryDelayMs: 1, attempts: 20 };
    await (await opened({ mirrors, limits })).update();
    const blobs = world.requests.filter((one) => one.includes('blobs/')).map((one) => Number(one.split(' ')[2]));
    expect(blobs.length).toBeGreaterThan(3);
    expect([...blobs].sort((a, b) => a - b)).toEqual(blobs);
    expect((await runningOf(world.device(storage))).version).toBe('1.0');
  });

  test('wrong bytes from every mirror are fetched once more, not over and over', async () => {
    const wrong = (name: string) =>
      world.mirror(name, (path, bytes) =>
        path.startsWith('blobs/') && bytes !== null ? bytes.map((byte) => byte ^ 1) : bytes,
      );
    const names = ['one', 'two'];
    const mirrors = new MirrorSet({ mirrors: names.map(wrong), clock: instantClock });
    world.requests.length = 0;
    await expect((await opened({ mirrors, limits: { retryDelayMs: 1 } })).update()).rejects.toEqual(
      refused('CONTENT_MISMATCH'),
    );
    const [first = ''] = world.requests.filter((one) => one.includes('blobs/')).map((one) => one.split(' ')[1]);
    expect(world.requests.filter((one) => one.includes(first))).toHaveLength(3);
  });

  describe('a line that breaks within a segment of a delta', () => {
    /** Breaks after 25 pieces of 700 bytes, so many times. @returns bytes of deltas that came */
    const flaky = (breaks: number): { mirrors: MirrorSet; came: () => number } => {
      let bytes = 0;
      const mirror = world.mirror('flaky');
      const open: typeof mirror.open = async (path, offset, length) => {
        const pieces = path.startsWith('blobs/') ? null : await mirror.open(path, offset, length);
        if (pieces === null || !path.startsWith('deltas/')) return pieces;
        return (async function* () {
          let served = 0;
          for await (const piece of pieces) {
            if (served++ === 25 && breaks-- > 0) throw new KerfError('MIRROR_UNAVAILABLE', 'the line is gone');
            bytes += piece.byteLength;
            yield piece;
          }
        })();
      };
      return { mirrors: new MirrorSet({ mirrors: [{ name: 'flaky', open }], clock: instantClock }), came: () => bytes };
    };
    const [large, other] = [noise(120_000, 3), noise(120_000, 3)];
    other.set(noise(60_000, 4), 40_000);

    beforeEach(async () => {
      await world.publish('2.0', { 'model.onnx': large });
      await (await opened()).update();
      await (await opened()).confirm();
      await world.publish('2.1', { 'model.onnx': other });
    });

    test('goes on where it was, in the same update and in the next one', async () => {
      const line = flaky(2);
      expect(await (await opened({ mirrors: line.mirrors, limits: { retryDelayMs: 1 } })).update()).toBe('switched');
      expect(line.came()).toBeLessThan(63_000);
      expect((await runningOf(world.device(storage))).version).toBe('2.1');
      expect((await storage.slots[1].list()).filter((name) => name.includes('held'))).toEqual([]);
    });

    test('after a restart too; what the disk spoilt of it is fetched again', async () => {
      const limits = { retryDelayMs: 1, attempts: 1 };
      const spoilt = storage.slots[1];
      for (const spoil of [false, true]) {
        const broken = flaky(Number.POSITIVE_INFINITY);
        await expect((await opened({ mirrors: broken.mirrors, limits })).update()).rejects.toEqual(
          refused('MIRROR_UNAVAILABLE'),
        );
        const [held = ''] = (await spoilt.list()).filter((name) => name.endsWith('-held'));
        if (spoil) await spoilt.truncate(held, (await spoilt.size(held)) - 1);
      }
      const line = flaky(0);
      expect(await (await opened({ mirrors: line.mirrors })).update()).toBe('switched');
      expect(line.came()).toBeGreaterThan(60_000);
      expect((await runningOf(world.device(storage))).version).toBe('2.1');
    });

    test('what another mirror had made up of it is not held against this one', async () => {
      const liar = world.mirror('liar', (path, bytes) =>
        path.startsWith('deltas/') && bytes !== null ? bytes.map((byte, at) => (at > 2000 ? byte ^ 1 : byte)) : bytes,
      );
      const cut: typeof liar.open = async (path, offset, length) => {
        const pieces = await liar.open(path, offset, length);
        if (pieces === null || !path.startsWith('deltas/')) return pieces;
        return (async function* () {
          let served = 0;
          for await (const piece of pieces) {
            if (served++ === 40) throw new KerfError('MIRROR_UNAVAILABLE', 'the line is gone');
            yield piece;
          }
        })();
      };
      const good = world.mirror('good');
      const mirrors = new MirrorSet({ mirrors: [{ name: 'liar', open: cut }, good], clock: instantClock });
      world.requests.length = 0;
      expect(await (await opened({ mirrors, limits: { retryDelayMs: 1 } })).update()).toBe('switched');
      expect(world.requests.filter((one) => one.startsWith('good blobs/'))).toEqual([]);
      expect((await runningOf(world.device(storage))).version).toBe('2.1');
    });
  });

  test.each(['first', 'second'])(
    'wrong bytes from the %s of two mirrors are found, and the other is used',
    async (which) => {
      const bad = world.mirror('bad', (path, bytes) => (path.startsWith('blobs/') ? noise(9000, 77) : bytes));
      const order = which === 'first' ? [bad, world.mirror('good')] : [world.mirror('good'), bad];
      await (await opened({ mirrors: new MirrorSet({ mirrors: order, clock: instantClock }) })).update();
      expect((await runningOf(world.device(storage))).version).toBe('1.0');
    },
  );

  test('wrong bytes from every mirror: nothing is installed, nothing of them kept', async () => {
    const bad = world.mirror('bad', (path, bytes) => (path.startsWith('blobs/') ? noise(9000, 77) : bytes));
    const device = await opened({ mirrors: new MirrorSet({ mirrors: [bad], clock: instantClock }) });
    await expect(device.update()).rejects.toEqual(refused('CONTENT_MISMATCH'));
    expect(device.state.active).toBeNull();
    expect(await storage.slots[0].list()).toEqual([]);
  });

  test('endless data is cut off', async () => {
    const endless = world.mirror('endless', (path, bytes) => (path.startsWith('blobs/') ? noise(50_000, 5) : bytes));
    const open = endless.open.bind(endless);
    const mirrors = new MirrorSet({
      mirrors: [{ name: 'endless', open: (path, offset) => open(path, offset, null) }],
      clock: instantClock,
    });
    await expect((await opened({ mirrors })).update()).rejects.toEqual(refused('CONTENT_MISMATCH', /more than/));
    const metadata = world.mirror('metadata', (path, bytes) =>
      path.endsWith('timestamp.json') ? noise(50_000, 5) : bytes,
    );
    const long = new MirrorSet({ mirrors: [metadata], clock: instantClock });
    await expect((await opened({ mirrors: long })).update()).rejects.toEqual(
      refused('CONTENT_MISMATCH', /more than 16384/),
    );
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['a changed index', (bytes) => bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte))],
    ['a changed segment', (bytes) => bytes.map((byte, at) => (at === bytes.byteLength - 5 ? byte ^ 1 : byte))],
    ['something else', () => noise(3000, 6)],
    ['half of it', (bytes) => bytes.subarray(0, bytes.byteLength / 2)],
    ['nothing', () => new Uint8Array(0)],
  ])('%s in the place of a delta: the whole file is fetched', async (_, change) => {
    await withNext();
    const mirror = world.mirror('mirror', (path, bytes) =>
      path.startsWith('deltas/') && bytes !== null ? change(bytes) : bytes,
    );
    expect(await (await opened({ mirrors: new MirrorSet({ mirrors: [mirror], clock: instantClock }) })).update()).toBe(
      'switched',
    );
    expect((await runningOf(world.device(storage))).version).toBe('1.1');
  });

  test('a stale mirror first, a good one second', async () => {
    const before = new Map(world.repository.files);
    await withNext();
    const stale = { ...world.mirror('stale', (path) => before.get(path) ?? null), name: 'stale' };
    await (await opened()).check();
    const device = await opened({ mirrors: new MirrorSet({ mirrors: [stale, world.mirror()], clock: instantClock }) });
    expect(await device.update()).toBe('switched');
    const only = await opened({ mirrors: new MirrorSet({ mirrors: [stale], clock: instantClock }) });
    await expect(only.update()).rejects.toEqual(refused('ROLLBACK_REFUSED'));
  });

  test('a disk without room ends the update, and the next one goes on', async () => {
    const slot = storage.slots[0];
    let room = 4000;
    const append = slot.append.bind(slot);
    slot.append = async (name, bytes) => {
      room -= bytes.byteLength;
      if (room < 0) throw new KerfError('DISK_FULL', 'no room');
      await append(name, bytes);
    };
    await expect((await opened()).update()).rejects.toEqual(refused('DISK_FULL', /no room for 'model\.onnx'/));
    room = Number.POSITIVE_INFINITY;
    world.requests.length = 0;
    await (await opened()).update();
    const [blob = ''] = world.requests.filter((one) => one.includes('blobs/'));
    expect(Number(blob.split(' ')[2])).toBeGreaterThan(2000);
  });

  test('a damaged file of the running slot is no base: the update heals', async () => {
    await withNext();
    await storage.slots[0].truncate('model.onnx', 4000);
    await expect((await opened()).verifyActive()).rejects.toEqual(refused('CONTENT_MISMATCH', /model\.onnx/));
    await (await opened()).update();
    expect((await runningOf(world.device(storage))).version).toBe('1.1');
  });

  test('a rate is kept', async () => {
    let waitedMs = 0;
    const clock = {
      nowMs: () => waitedMs,
      after: (delayMs: number, task: () => void) => ((waitedMs += delayMs), queueMicrotask(task), () => {}),
    };
    const mirrors = new MirrorSet({ mirrors: [world.mirror()], clock, bytesPerSecond: 1000 });
    await (await opened({ mirrors })).update();
    expect(waitedMs).toBeGreaterThan(9000);
  });
});

describe('switching', () => {
  test('golden samples that fail: the release is not switched to, and not tried again by itself', async () => {
    await (await opened()).update();
    const golden = { file: 'g.kgs', samples: 1, madeBy: 'test', absolute: 0, relative: 0 };
    await world.publish('1.1', { 'model.onnx': next, 'g.kgs': noise(100, 8) }, { golden });
    const failing = {
      golden: async (): Promise<never> => {
        throw new KerfError('GOLDEN_FAILED', 'other answers');
      },
    };
    const device = await opened(failing);
    await expect(device.update()).rejects.toEqual(refused('GOLDEN_FAILED'));
    expect(device.state.active?.version).toBe('1.0');
    expect(await (await opened(failing)).update()).toBe('current');
    // Without a runtime it is refused too: nothing is assumed.
    await expect((await opened()).update({ version: '1.1' })).rejects.toEqual(refused('GOLDEN_FAILED'));
    expect(await (await opened({ golden: async () => null })).update({ version: '1.1' })).toBe('switched');
  });

  test('outside of the maintenance window it is staged only', async () => {
    await withNext();
    const at = (hours: number): number => new Date(2026, 10, 26, hours).getTime();
    const window = parseMaintenanceWindow('22:00-05:00');
    expect(await (await opened({ window, wallClockMs: () => at(12) })).update()).toBe('waiting');
    expect((await readState(storage.state)).active?.version).toBe('1.0');
    world.requests.length = 0;
    expect(await (await opened({ window, wallClockMs: () => at(23) })).update()).toBe('switched');
    expect(world.requests.filter((one) => /blobs|deltas/.test(one))).toEqual([]);
  });

  test('while it waits its golden samples are not run again, until the runtime or the provider is another', async () => {
    await (await opened()).update();
    const golden = { file: 'g.kgs', samples: 1, madeBy: 'test', absolute: 0, relative: 0 };
    await world.publish('1.1', { 'model.onnx': next, 'g.kgs': noise(100, 8) }, { golden });
    let runs = 0;
    const report = { samples: 1, values: 1, worst: 0, where: null, backend: 'test' };
    const at = (hours: number): Partial<DeviceOptions> => ({
      window: parseMaintenanceWindow('22:00-05:00'),
      wallClockMs: () => new Date(2026, 10, 26, hours).getTime(),
      golden: async () => (runs++, report),
    });
    for (const wanted of [1, 1, 1]) {
      expect(await (await opened(at(12))).update()).toBe('waiting');
      expect(runs).toBe(wanted);
    }
    const newer = { ...at(12), versions: { kerf: '0.1.0', onnxruntime: '1.30.1' } };
    await (await opened(newer)).update();
    expect(runs).toBe(2);
    await (await opened({ ...newer, provider: 'cuda' })).update();
    expect(runs).toBe(3);
    expect(await (await opened({ ...newer, ...at(23), versions: newer.versions, provider: 'cuda' })).update()).toBe(
      'switched',
    );
    expect(runs).toBe(3);
    expect((await readState(storage.state)).proved).toBeNull();
  });

  test('a head without its tail in the cloud waits', async () => {
    await withNext();
    const pair = world.releases[1]?.manifest.pair ?? '';
    await expect((await opened({ cloudPairs: async () => ['ff'.repeat(32)] })).update()).rejects.toEqual(
      refused('MODEL_NOT_FOUND'),
    );
    expect(await (await opened({ cloudPairs: async () => [pair] })).update()).toBe('switched');
  });

  test('a runtime that is too old', async () => {
    await world.publish('1.1', { 'model.onnx': next }, { runtime: { kerf: null, onnxruntime: '1.31.0' } });
    await expect((await opened()).update()).rejects.toEqual(refused('RUNTIME_TOO_OLD', /1\.31\.0.*1\.30\.0/));
  });

  test('a clock in 1970 changes nothing but the update', async () => {
    await withNext();
    await expect((await opened({ wallClockMs: () => 0 })).update()).rejects.toEqual(refused('CLOCK_WRONG'));
    await expect((await opened({ wallClockMs: () => NOW_MS + 400 * DAY_MS })).update()).rejects.toEqual(
      refused('METADATA_EXPIRED'),
    );
    expect((await runningOf(world.device(storage))).version).toBe('1.0');
  });

  test('no other release while one is on probation; an older one only when asked for by name and flag', async () => {
    await withNext();
    await (await opened()).update();
    await world.publish('1.2', { 'model.onnx': base });
    await expect((await opened()).update()).rejects.toEqual(refused('INVALID_ARGUMENT', /probation/));
    await (await opened()).confirm();
    await expect((await opened()).update({ version: '1.0' })).rejects.toEqual(refused('ROLLBACK_REFUSED'));
    expect(await (await opened()).update({ version: '1.0', allowOlder: true })).toBe('switched');
    await expect((await opened()).update({ version: '9' })).rejects.toEqual(
      refused('RELEASE_NOT_FOUND', /1\.0, 1\.1, 1\.2/),
    );
  });

  test('three starts without a proof, and it goes back; what failed is left alone', async () => {
    await withNext();
    await (await opened()).update();
    const events: DeviceEvent[] = [];
    for (let start = 0; start < 3; start++) {
      expect((await Device.start(world.device(storage))).state.active?.version).toBe('1.1');
    }
    const device = await Device.start(world.device(storage, { onEvent: (event) => void events.push(event) }));
    expect(device.state).toMatchObject({
      active: { version: '1.0' },
      trialStarts: null,
      rejected: [{ version: '1.1' }],
    });
    expect(events).toMatchObject([{ kind: 'rolledBack', version: '1.0' }]);
    expect(await device.update()).toBe('current');
    await expect(device.rollBack('again')).rejects.toEqual(refused('RELEASE_NOT_FOUND'));
  });

  test('a reason of any length leaves a state that can be read; a release that proves itself after all is clear again', async () => {
    await withNext();
    const device = await opened();
    await device.update();
    await device.rollBack(`${'it was late, '.repeat(500)}\u{1F600}`);
    const [left] = (await opened()).state.rejected;
    expect(left).toMatchObject({
      version: '1.1',
      reason: expect.stringMatching(/^it was late, it was late/) as string,
    });
    await device.reject({ id: left?.id as string, version: '1.1' }, 'once more');
    expect((await opened()).state.rejected).toMatchObject([{ version: '1.1', reason: 'once more' }]);
    expect(await device.update()).toBe('current');
    expect(await device.update({ version: '1.1' })).toBe('switched');
    expect((await opened()).state.rejected).toHaveLength(1);
    await device.confirm();
    expect((await opened()).state.rejected).toEqual([]);
  });

  test('a confirmed release may be rolled back by hand, once its slot is checked', async () => {
    await withNext();
    const device = await opened();
    await device.update();
    await device.confirm();
    await storage.slots[0].truncate('model.onnx', 10);
    await expect(device.rollBack('by hand')).rejects.toEqual(refused('CONTENT_MISMATCH'));
    expect(device.state.active?.version).toBe('1.1');
  });

  test('what was found is kept as a kind with values, and what it quotes is cut', async () => {
    await withNext();
    const told: DeviceEvent[] = [];
    const device = await opened({ onEvent: (event) => told.push(event) });
    await device.update();
    const cause = { kind: 'cannot-run', code: 'MODEL_MALFORMED', message: 'x'.repeat(5_000) } as const;
    await device.rollBack(cause);
    expect(told.at(-1)).toMatchObject({ kind: 'rolledBack', cause });
    const [left] = (await readState(storage.state)).rejected;
    expect(left?.reason).toMatch(/^it cannot be run here: xxx/);
    expect(left?.cause).toEqual({ ...cause, message: 'x'.repeat(200) });
    await device.reject({ id: left?.id as string, version: '1.1' }, 'bad pictures');
    expect((await readState(storage.state)).rejected[0]).not.toHaveProperty('cause');
  });

  test('two copies of the state: one that is damaged does not matter, two do', async () => {
    await withNext();
    const names = (await storage.state.list()).filter((name) => name.startsWith('state-'));
    expect(names).toHaveLength(2);
    await storage.state.truncate(names[0] as string, 5);
    expect((await readState(storage.state)).active?.version).toBe('1.0');
    await storage.state.truncate(names[1] as string, 5);
    await expect(readState(storage.state)).rejects.toEqual(refused('STATE_DAMAGED'));
  });

  test('a manifest of another name under this one', async () => {
    const release = await world.publish('1.1', { 'model.onnx': next }, { name: 'other' });
    expect(world.repository.files.has(REPOSITORY_PATHS.target('surface/1.1.json', release.id))).toBe(true);
    await expect((await opened()).update()).rejects.toEqual(refused('RELEASE_INVALID', /other 1\.1/));
  });
});
