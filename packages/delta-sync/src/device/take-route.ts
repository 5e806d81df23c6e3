// Deltas one behind the other, where a server knows of no single one -> the file, over the files in between.
import { KerfError } from '@kerf/protocol';
import { damaged } from '../damaged.ts';
import type { ReleaseFile } from '../release/release-manifest.ts';
import type { BaseFile } from './choose-way.ts';
import { type DeviceDisk, diskReader, holds } from './device-disk.ts';
import type { FetchOptions } from './fetch-options.ts';
import type { DeltaStep, Mirror } from './mirror.ts';
import { DELTA_SHARE, MAX_HOPS } from './options.ts';
import { PartWriter, partName } from './part-writer.ts';
import { applyOpenDelta, type DeltaSource, openDelta } from './take-delta.ts';

/** A file in between may be so much larger than both ends: what a server says of it is only checked when it is whole. */
const MOST_BETWEEN = 2;

/**
 * Fills the part of `file`. Files in between lie in the slot while they are needed, each checked against its hash.
 * @returns false when the mirror knows no way of several deltas that is worth it
 * @throws {KerfError} DELTA_MALFORMED, CONTENT_MISMATCH, MIRROR_UNAVAILABLE, DISK_FULL, CANCELLED.
 */
export async function takeRoute(
  base: BaseFile,
  file: ReleaseFile,
  mirror: Mirror,
  options: FetchOptions,
  count: (bytes: number) => void,
): Promise<boolean> {
  const steps = (await mirror.route?.(base.sha256, file.sha256)) ?? [];
  if (!isWorthIt(steps, base, file)) return false;
  const { slot, mirrors, makeHasher, limits, signal } = options;
  const most = MOST_BETWEEN * Math.max(base.bytes, file.bytes);
  let from: { disk: DeviceDisk; name: string; bytes: number; sha256: string } = {
    disk: (options.base as NonNullable<FetchOptions['base']>).slot,
    ...base,
  };
  const between: string[] = [];
  try {
    for (const step of steps) {
      const { disk, name } = from;
      const source: DeltaSource = { base: { ...from, open: () => diskReader(disk, name) }, index: null };
      const delta = await openDelta(source, step.to, mirror, mirrors, count);
      if (delta === null) throw new KerfError('MIRROR_UNAVAILABLE', `${mirror.name}: a delta of its way is gone`);
      const { made } = delta;
      const isLast = step === steps.at(-1);
      if (isLast ? made.bytes !== file.bytes : made.bytes > most) throw damaged('it makes a file of another size');
      if (!isLast) between.push(partName(made));
      const writer = await PartWriter.open(slot, made, limits, signal);
      await applyOpenDelta(delta, source, mirror, writer, options, count);
      if (!isLast && !(await holds(slot, partName(made), made, makeHasher))) {
        throw damaged('a file in between is not what its name says');
      }
      from = { disk: slot, name: partName(made), bytes: made.bytes, sha256: made.sha256 };
    }
    return true;
  } finally {
    for (const name of between) await slot.remove(name);
  }
}

function isWorthIt(steps: readonly DeltaStep[], base: BaseFile, file: ReleaseFile): boolean {
  if (steps.length < 2 || steps.length > MAX_HOPS) return false;
  let from = base.sha256;
  for (const step of steps) {
    if (step.from !== from || !/^[0-9a-f]{64}$/.test(step.to)) return false;
    from = step.to;
  }
  const compressed = file.deltas.find((listed) => listed.base === null)?.bytes ?? file.bytes;
  const bytes = steps.reduce((sum, step) => sum + step.bytes, 0);
  return from === file.sha256 && bytes <= DELTA_SHARE * Math.min(compressed, file.bytes);
}
