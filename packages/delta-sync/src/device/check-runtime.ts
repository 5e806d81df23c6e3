// What a release asks of the runtime, and what a head and a tail have in common -> whether they fit.
import { KerfError } from '@kerf/protocol';
import type { ReleaseManifest } from '../release/release-manifest.ts';

/** Versions of what runs here, `major.minor.patch` with anything behind. */
export interface RuntimeVersions {
  readonly kerf: string;
  readonly onnxruntime: string;
}

/** @throws {KerfError} RUNTIME_TOO_OLD. */
export function checkRuntime({ name, version, runtime }: ReleaseManifest, here: RuntimeVersions): void {
  for (const part of ['kerf', 'onnxruntime'] as const) {
    const least = runtime[part];
    if (least === null || !isBelow(here[part], least)) continue;
    throw new KerfError(
      'RUNTIME_TOO_OLD',
      `${name} ${version} needs ${part} ${least}, this device has ${here[part]}: update it first`,
    );
  }
}

function isBelow(version: string, least: string): boolean {
  const [have, need] = [partsOf(version), partsOf(least)];
  for (let at = 0; at < 3; at++) {
    const [a, b] = [have[at] ?? 0, need[at] ?? 0];
    if (a !== b) return a < b;
  }
  return false;
}

function partsOf(version: string): number[] {
  return (/^\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
}

/** Whether the head of one release may talk to the tail of another: pairs that never ran together never do. */
export function isPaired(head: Pick<ReleaseManifest, 'tails'>, tail: Pick<ReleaseManifest, 'pair'>): boolean {
  return tail.pair !== null && head.tails.includes(tail.pair);
}
