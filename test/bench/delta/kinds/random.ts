// A seed -> numbers, words and bytes for made-up files, the same on every machine.
import { seededRandom } from '@kerf/protocol';

export type Random = () => number;

export const randomOf = (seed: number): Random => seededRandom(seed);

/** About normal. */
export function normals(count: number, scale: number, random: Random): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, () => (random() + random() + random() + random() - 2) * 1.73 * scale);
}

/** Weights as a network has them: each row of its own size. */
export function weights(rows: number, columns: number, random: Random): Float32Array<ArrayBuffer> {
  const scales = Array.from({ length: rows }, () => 0.02 * 2 ** (2 * random()));
  return normals(rows * columns, 1, random).map((value, at) => value * (scales[Math.floor(at / columns)] as number));
}

export function whole(below: number, random: Random): number {
  return Math.floor(random() * below);
}

export function noiseBytes(count: number, random: Random): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: count }, () => whole(256, random));
}

/** A made-up word: syllables, so that letters depend on each other. */
export function word(random: Random): string {
  const consonants = 'bcdfghklmnprstvz';
  const vowels = 'aeiou';
  return Array.from(
    { length: 1 + whole(3, random) },
    () => `${consonants[whole(consonants.length, random)]}${vowels[whole(vowels.length, random)]}`,
  ).join('');
}

/** Words, the first ones more often. */
export function prose(count: number, random: Random): string {
  const known = Array.from({ length: 800 }, () => word(random));
  return Array.from({ length: count }, (_, at) => {
    const next = known[Math.floor(known.length * random() ** 3)] as string;
    return at % 12 === 11 ? `${next}.\n` : `${next} `;
  }).join('');
}

/** Some elements drawn anew. */
export function redrawn<T extends { [at: number]: number; length: number; slice(): T }>(
  values: T,
  share: number,
  random: Random,
  draw: (value: number) => number,
): T {
  const fresh = values.slice();
  for (let at = 0; at < fresh.length; at++) if (random() < share) fresh[at] = draw(fresh[at] as number);
  return fresh;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
