// A mirror that changes one file of a repository by chance, and a device that updates from it, again and again: it ends with an
// error of its own or with the right release, never with a crash, and never with anything that was not signed.
// KERF_FUZZ_RUNS sets how many, KERF_FUZZ_SEED where to start; a failure prints both.
import {
  Device,
  type DeviceOptions,
  MirrorSet,
  parseReleaseManifest,
  readGoldenFile,
  writeGoldenFile,
  writeReleaseManifest,
} from '@kerf/delta-sync';
import { float32Tensor, KerfError, seededRandom } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { instantClock, noise, runningOf, World } from '../../packages/delta-sync/test/support/device-world.ts';
import { PowerSupply } from '../../packages/delta-sync/test/support/power-loss-disk.ts';
import { sampleManifest } from '../../packages/delta-sync/test/support/releases.ts';

const RUNS = Number(process.env['KERF_FUZZ_RUNS'] ?? 400);
const SEED = Number(process.env['KERF_FUZZ_SEED'] ?? 20_261_126);

type Pick = (limit: number) => number;

/** Bytes, digits, brackets and pieces of other files: what a careless or a hostile mirror would serve. */
function mutate(bytes: Uint8Array, others: readonly Uint8Array[], pick: Pick): Uint8Array {
  const at = pick(bytes.byteLength + 1);
  switch (pick(7)) {
    case 0:
      return bytes.map((byte, place) => (place === at ? byte ^ (1 << pick(8)) : byte));
    case 1:
      return bytes.slice(0, at);
    case 2:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + pick(8))]);
    case 3: {
      const other = others[pick(others.length)] as Uint8Array;
      return Uint8Array.from([...bytes.subarray(0, at), ...other.subarray(pick(other.byteLength))]);
    }
    case 4:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(pick(at + 1), at), ...bytes.subarray(at)]);
    case 5:
      return others[pick(others.length)] as Uint8Array;
    default: {
      // Another digit in the place of one: versions, thresholds, lengths, dates.
      const digits = [...bytes.keys()].filter(
        (place) => (bytes[place] as number) >= 48 && (bytes[place] as number) <= 57,
      );
      const chosen = digits[pick(digits.length)];
      return bytes.map((byte, place) => (place === chosen ? 48 + pick(10) : byte));
    }
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);

describe('repositories under mutation', () => {
  it(`${RUNS} updates from seed ${SEED}`, { timeout: 3_600_000 }, async () => {
    const world = await World.create();
    const base = noise(3000, 1);
    const next = base.map((byte, at) => (at % 97 === 0 ? byte ^ 3 : byte));
    await world.publish('1.0', { 'model.onnx': base });
    const before = new Map(world.repository.files);
    await world.publish('1.1', { 'model.onnx': next, 'labels.txt': noise(40, 3) });
    const files = [...world.repository.files];
    const random = seededRandom(SEED);
    const pick: Pick = (limit) => Math.floor(random() * limit);
    const outcomes = new Map<string, number>();
    for (let run = 0; run < RUNS; run++) {
      const [path, bytes] = files[pick(files.length)] as [string, Uint8Array];
      const others = [...(pick(2) === 0 ? before : world.repository.files).values()];
      const changed = mutate(bytes, others, pick);
      if (same(bytes, changed)) continue;
      const mirror = world.mirror('fuzz', (asked, right) => (asked === path ? changed : right));
      const options: DeviceOptions = world.device(new PowerSupply(random).storage(), {
        mirrors: new MirrorSet({ mirrors: [mirror], clock: instantClock }),
        limits: { attempts: 1, pieceBytes: 4096 },
      });
      await world.ship(options.storage);
      const label = `run ${run}, seed ${SEED}, ${path}`;
      let outcome: string;
      try {
        const device = await Device.open(options);
        await device.update({ version: '1.0' });
        await device.update({ version: '1.1' });
        // Whatever was changed did not matter to what was signed: white space, or another way to the same file.
        outcome = (await runningOf(options)).version ?? 'none';
        expect(outcome, label).toBe('1.1');
      } catch (error) {
        if (!KerfError.is(error) || error.code === 'INTERNAL') throw new Error(label, { cause: error });
        outcome = error.code;
        const { version } = await runningOf(options);
        expect([null, '1.0', '1.1'], label).toContain(version);
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    // The mutations reach the checks that they are meant for.
    for (const code of ['TRUST_FAILED', 'CONTENT_MISMATCH'])
      expect(outcomes.get(code), code).toBeGreaterThan(RUNS / 100);
  });

  it('manifests and golden files without the protection of a hash', { timeout: 3_600_000 }, () => {
    const golden = writeGoldenFile([
      {
        inputs: new Map([['x', float32Tensor([1, 8], new Float32Array(8))]]),
        outputs: new Map([['y', float32Tensor([2], new Float32Array(2))]]),
      },
    ]);
    const seeds = [writeReleaseManifest(sampleManifest()), golden];
    const random = seededRandom(SEED);
    const pick: Pick = (limit) => Math.floor(random() * limit);
    for (let run = 0; run < 10 * RUNS; run++) {
      const at = pick(2);
      const changed = mutate(seeds[at] as Uint8Array, seeds, pick);
      try {
        if (at === 0) parseReleaseManifest(changed);
        else readGoldenFile(changed);
      } catch (error) {
        if (!KerfError.is(error) || error.code !== 'RELEASE_INVALID')
          throw new Error(`run ${run}, seed ${SEED}`, { cause: error });
      }
    }
  });
});
