// A device some releases behind, and a mirror that knows deltas one behind the other: they are taken where they pay, and only then.
import {
  type DeltaStep,
  Device,
  type DeviceEvent,
  type DeviceStorage,
  type Mirror,
  MirrorSet,
  REPOSITORY_PATHS,
  sha256Hex,
} from '@kerf/delta-sync';
import { seededRandom } from '@kerf/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { instantClock, noise, runningOf, World } from './support/device-world.ts';
import { PowerSupply } from './support/power-loss-disk.ts';

const BYTES = 80_000;
const versions = [0, 1, 2].map((step) => {
  const bytes = noise(BYTES, 3);
  for (let at = 1; at <= step; at++) bytes.set(noise(500, 10 + at), 10_000 * at);
  return bytes;
}) as [Uint8Array, Uint8Array, Uint8Array];

let world: World;
let storage: DeviceStorage;
let steps: DeltaStep[];

/** 1.0 runs; 1.2 is out, with no delta that its manifest lists, and deltas over 1.1 on the mirror. */
beforeEach(async () => {
  world = await World.create();
  storage = new PowerSupply(seededRandom(1)).storage();
  await world.ship(storage);
  await world.publish('1.0', { 'model.onnx': versions[0] });
  await (await Device.open(world.device(storage))).update();
  await world.publish('1.2', { 'model.onnx': versions[2] }, {}, false);
  const hashes = await Promise.all(versions.map((bytes) => sha256Hex(bytes)));
  steps = [];
  for (const at of [0, 1]) {
    const [old, fresh] = [versions[at], versions[at + 1]] as [Uint8Array, Uint8Array];
    const { bytes } = await world.makeDelta('model.onnx', old, fresh);
    steps.push({ from: hashes[at] as string, to: hashes[at + 1] as string, bytes });
  }
  world.requests.length = 0;
});

const routed = (change: Parameters<World['mirror']>[1] = (_, bytes) => bytes): Mirror => ({
  ...world.mirror('registry', change),
  route: async (from, to) => (from === steps[0]?.from && to === steps.at(-1)?.to ? steps : null),
});

async function updated(mirror: Mirror): Promise<{ ways: string[]; fetchedBytes: number; left: readonly string[] }> {
  const events: DeviceEvent[] = [];
  const mirrors = new MirrorSet({ mirrors: [mirror], clock: instantClock });
  const options = world.device(storage, { mirrors, onEvent: (event) => void events.push(event) });
  expect(await (await Device.open(options)).update()).toBe('switched');
  const { device, version } = await runningOf(options);
  expect(version).toBe('1.2');
  const files = events.flatMap((event) => (event.kind === 'fetched' ? [event.file] : []));
  return {
    ways: files.map(({ way }) => way),
    fetchedBytes: files.reduce((sum, file) => sum + file.fetchedBytes, 0),
    left: (await device.activeSlot?.list()) ?? [],
  };
}

describe('a device two releases behind', () => {
  test('takes two deltas, checks the file in between, and leaves nothing of it', async () => {
    const { ways, fetchedBytes, left } = await updated(routed());
    expect(ways).toEqual(['route']);
    expect(fetchedBytes).toBeLessThan(BYTES / 10);
    expect([...left].sort()).toEqual(['.release.json', 'model.onnx']);
    expect(world.requests.some((one) => one.includes('blobs/'))).toBe(false);
  });

  test('a delta of the way that makes other bytes costs the way, not the update', async () => {
    const damaged = REPOSITORY_PATHS.delta(steps[0]?.from ?? '', steps[0]?.to ?? '');
    const mirror = routed((path, bytes) =>
      path === damaged && bytes !== null ? bytes.map((byte, at) => (at === bytes.length - 9 ? byte ^ 1 : byte)) : bytes,
    );
    expect((await updated(mirror)).ways).toEqual(['blob']);
  });

  test.each<[string, (first: DeltaStep, second: DeltaStep) => DeltaStep[]]>([
    ['takes as much as the file', (first, second) => [{ ...first, bytes: BYTES }, second]],
    ['begins elsewhere', (first, second) => [second, first]],
    ['is too long', (first, second) => [first, first, first, second]],
    ['ends elsewhere', (first, second) => [first, { ...second, to: first.from }]],
    ['is a single delta', (first) => [first]],
  ])('a way that %s is not taken', async (_name, change) => {
    const [first, second] = steps as [DeltaStep, DeltaStep];
    const wrong = change(first, second);
    expect((await updated({ ...world.mirror('registry'), route: async () => wrong })).ways).toEqual(['blob']);
  });

  test('a mirror that knows of none, and one that cannot say, give the file', async () => {
    expect((await updated({ ...world.mirror('registry'), route: async () => null })).ways).toEqual(['blob']);
  });
});
