// A publisher, a mirror and a device in memory: releases of a few small files, with deltas, under real metadata.
import {
  Device,
  type DeviceOptions,
  type DeviceStorage,
  deltaBytesOf,
  encodeDelta,
  type Mirror,
  MirrorSet,
  memoryReader,
  portableHasher,
  REPOSITORY_PATHS,
  type ReleaseFile,
  type ReleaseManifest,
  releaseTarget,
  type SourceFile,
  sha256Hex,
  writeReleaseManifest,
} from '@kerf/delta-sync';
import type { Clock } from '@kerf/protocol';
import { sampleManifest } from './releases.ts';
import { NOW_MS, TestRepository } from './trust.ts';

/** Time that passes at once. */
export const instantClock: Clock = {
  nowMs: () => 0,
  after: (_, task) => {
    queueMicrotask(task);
    return () => {};
  },
};

export interface WorldRelease {
  readonly id: string;
  readonly manifest: ReleaseManifest;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Everything that a mirror would serve, by path. */
export class World {
  readonly repository = new TestRepository();
  readonly releases: WorldRelease[] = [];
  readonly requests: string[] = [];
  /** Deltas say that they are of this version of the format; null: of the one that they are. */
  deltaVersion: number | null = null;

  static async create(): Promise<World> {
    const world = new World();
    await world.repository.publishRoot();
    world.repository.targets.clear();
    return world;
  }

  /** @param withDeltas listed ones from the release before */
  async publish(
    version: string,
    files: Record<string, Uint8Array>,
    change: Partial<ReleaseManifest> = {},
    withDeltas = true,
  ): Promise<WorldRelease> {
    const before = this.releases.at(-1);
    const described: ReleaseFile[] = [];
    for (const [name, bytes] of Object.entries(files)) {
      const sha256 = await sha256Hex(bytes);
      this.repository.files.set(REPOSITORY_PATHS.blob(sha256), bytes);
      const base = before?.files.get(name);
      const deltas =
        base === undefined || !withDeltas || change.files !== undefined
          ? []
          : [await this.makeDelta(name, base, bytes)];
      const role = name.endsWith('.onnx') ? 'model' : name.endsWith('.kgs') ? 'golden' : 'other';
      described.push({ name, role, sides: ['edge', 'cloud'], bytes: bytes.byteLength, sha256, groups: [], deltas });
    }
    const [first] = described;
    const pair = first?.sha256 ?? '';
    const sequence = this.releases.length + 1;
    const manifest = sampleManifest({
      version,
      sequence,
      files: described,
      entry: first?.name ?? null,
      pair,
      tails: [pair],
      ...change,
    });
    const bytes = writeReleaseManifest(manifest);
    const id = await sha256Hex(bytes);
    const path = releaseTarget('surface', version);
    this.repository.files.set(REPOSITORY_PATHS.target(path, id), bytes);
    this.repository.targets.set(path, { length: bytes.byteLength, sha256: id, sequence });
    await this.repository.publish();
    const release = { id, manifest, files: new Map(Object.entries(files)) };
    this.releases.push(release);
    return release;
  }

  /** Stores a delta between two files. */
  async makeDelta(name: string, base: Uint8Array, target: Uint8Array): Promise<ReleaseFile['deltas'][number]> {
    const source = async (bytes: Uint8Array): Promise<SourceFile> => ({
      name,
      reader: memoryReader(bytes),
      sha256: await sha256Hex(bytes),
      tensors: [],
      isModel: false,
    });
    const [from, to] = [await source(base), await source(target)];
    const { chunks } = await encodeDelta({ base: [from], target: [to] });
    const delta = deltaBytesOf(chunks);
    if (this.deltaVersion !== null) delta[7] = this.deltaVersion;
    this.repository.files.set(REPOSITORY_PATHS.delta(from.sha256, to.sha256), delta);
    const indexBytes = 16 + new DataView(delta.buffer).getUint32(8, true);
    return {
      base: from.sha256,
      bytes: delta.byteLength,
      indexBytes,
      indexSha256: await sha256Hex(delta.subarray(0, indexBytes)),
    };
  }

  /** @param change what the mirror serves instead: null for nothing, an error to throw */
  mirror(
    name = 'mirror',
    change: (path: string, bytes: Uint8Array | null) => Uint8Array | null = (_, bytes) => bytes,
  ): Mirror {
    return {
      name,
      open: async (path, offset, length) => {
        this.requests.push(`${name} ${path} ${offset}`);
        const bytes = change(path, this.repository.files.get(path) ?? null);
        if (bytes === null) return null;
        return piecesOf(bytes.subarray(offset, length === null ? undefined : offset + length));
      },
    };
  }

  device(storage: DeviceStorage, change: Partial<DeviceOptions> = {}): DeviceOptions {
    return {
      storage,
      mirrors: new MirrorSet({ mirrors: [this.mirror()], clock: instantClock }),
      name: 'surface',
      side: null,
      versions: { kerf: '0.1.0', onnxruntime: '1.30.0' },
      makeHasher: portableHasher,
      clock: instantClock,
      wallClockMs: () => NOW_MS,
      limits: { pieceBytes: 1000, syncBytes: 3000, retryDelayMs: 1 },
      ...change,
    };
  }

  /** A device that was shipped with the first root. */
  async ship(storage: DeviceStorage): Promise<void> {
    const { state } = storage;
    await state.append('trust-root.json', this.repository.files.get('metadata/1.root.json') as Uint8Array);
    await state.sync('trust-root.json');
    await state.syncNames();
  }
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 700) yield bytes.subarray(at, at + 700);
}

/** Which release runs, every byte of it checked. */
export async function runningOf(options: DeviceOptions): Promise<{ device: Device; version: string | null }> {
  const device = await Device.open(options);
  const manifest = await device.verifyActive();
  return { device, version: manifest?.version ?? null };
}

/** Bytes that do not compress, by a seed. */
export function noise(bytes: number, seed: number): Uint8Array {
  let state = seed * 2654435761 + 1;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
