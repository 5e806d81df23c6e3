// A delta says the least version of its format that has every segment that was kept, and no later one.
import { memoryReader } from '@kerf/delta-sync';
import { describe, expect, test } from 'vitest';
import { KeptSegments } from '../src/encode/kept-segments.ts';
import { type BuiltSegment, SegmentBuilder } from '../src/encode/segment-builder.ts';

const old = Uint8Array.from({ length: 64 }, (_, at) => at * 3);
const moved = old.map((byte) => byte + 17);
const NONE = new Uint8Array(0);

/** Of version 1. */
function copied(): BuiltSegment {
  const builder = new SegmentBuilder(1);
  builder.copy({ offset: 0, bytes: old.length });
  return builder.finish();
}

/** Of version 2. */
function added(): BuiltSegment {
  const builder = new SegmentBuilder(1);
  builder.sum({ offset: 0, bytes: old.length }, 1, new Uint8Array(old.length).fill(17));
  return builder.finish();
}

const kept = (): KeptSegments => new KeptSegments(memoryReader(old));

describe('the version of what was kept', () => {
  test('is 1 where no segment needs more', async () => {
    const segments = kept();
    await segments.keep(copied(), 'output', old, NONE);
    expect(segments.version).toBe(1);
  });

  test('is that of the segment that needs most, whatever comes behind it', async () => {
    const segments = kept();
    await segments.keep(copied(), 'output', old, NONE);
    await segments.keep(added(), 'output', moved, NONE);
    expect(segments.version).toBe(2);
    await segments.keep(copied(), 'output', old, NONE);
    expect(segments.version).toBe(2);
  });

  test('is not that of a segment that was only tried', async () => {
    const segments = kept();
    expect(await segments.isRight(added(), moved, NONE)).toBe(true);
    expect(segments.version).toBe(1);
  });

  test('is 1 where patches took the place of what needed more', async () => {
    const rival = new SegmentBuilder(1);
    rival.bsdiff({ offset: 0, bytes: old.length }, old.length, new Uint8Array(40));
    expect([added().version, rival.finish().version]).toEqual([2, 1]);
  });

  test('is not that of a segment that is wrong', async () => {
    const segments = kept();
    await expect(segments.keep(added(), 'output', old, NONE)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(segments.version).toBe(1);
  });
});
