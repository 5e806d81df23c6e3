// Many samples -> a few that stand for them: by chance, and each class or kind of defect with its share.
import { KerfError, type Random, seededRandom } from '@kerf/protocol';
import type { SampleEntry, SampleSet } from './sample-set.ts';

/**
 * At most `limit` samples. Each group keeps its share, and at least one sample while there are enough; in such an order
 * that every first part of the list has the shares too.
 */
export function chooseSamples(set: SampleSet, limit: number, seed = 1): SampleSet {
  const ordered = interleaved(set.entries, seededRandom(seed));
  return { ...set, entries: ordered.slice(0, limit) };
}

/** Two sets of nearly equal size without a sample in common, each with the shares of the whole. */
export function halves(set: SampleSet, seed = 1): [first: SampleSet, second: SampleSet] {
  const ordered = interleaved(set.entries, seededRandom(seed));
  const side = new Map<string, number>();
  const parts: [SampleEntry[], SampleEntry[]] = [[], []];
  for (const entry of ordered) {
    // Groups of odd size start on the side that has less.
    const next = side.get(entry.group) ?? (parts[0].length <= parts[1].length ? 0 : 1);
    (next === 0 ? parts[0] : parts[1]).push(entry);
    side.set(entry.group, 1 - next);
  }
  return [
    { ...set, entries: parts[0] },
    { ...set, entries: parts[1] },
  ];
}

/** Of few samples, half choose. */
const FEW = 32;

/**
 * Two sets without a sample in common, each with the shares of the whole: a third to choose by, two to judge by, for it
 * takes more samples to show that little is lost than to find where.
 */
export function thirds(set: SampleSet, seed = 1): [choosing: SampleSet, judging: SampleSet] {
  const ordered = interleaved(set.entries, seededRandom(seed));
  const count = Math.max(Math.ceil(ordered.length / 3), Math.min(ordered.length >> 1, FEW / 2));
  return [
    { ...set, entries: ordered.slice(0, count) },
    { ...set, entries: ordered.slice(count) },
  ];
}

/** @throws {KerfError} SAMPLES_UNUSABLE saying how many there are and how many are needed. */
export function requireSamples(set: SampleSet, least: number, purpose: string): void {
  const { length } = set.entries;
  if (length >= least) return;
  throw new KerfError(
    'SAMPLES_UNUSABLE',
    `samples in ${set.folder}: ${length} ${length === 1 ? 'is' : 'are'} there, ${purpose} needs at least ${least}`,
    { details: { samples: length, least } },
  );
}

/** Member k of a group of n stands at (k + 0.5) / n; the first of every group come before anything else. */
function interleaved(entries: readonly SampleEntry[], random: Random): SampleEntry[] {
  const groups = new Map<string, SampleEntry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.group);
    if (group === undefined) groups.set(entry.group, [entry]);
    else group.push(entry);
  }
  const placed = [...groups.values()].flatMap((group) =>
    shuffled(group, random).map((entry, at) => ({ entry, place: at === 0 ? 0 : (at + 0.5) / group.length })),
  );
  return placed.sort((left, right) => left.place - right.place).map(({ entry }) => entry);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let at = result.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [result[at], result[other]] = [result[other] as T, result[at] as T];
  }
  return result;
}
