// Whatever goes wrong, and however it meets: no part passes that no model has passed, each gets its verdict in time, and
// one final record.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capture } from '../../src/capture/capture.ts';
import type { ResultRecord } from '../../src/station/result-record.ts';
import { bench, flow, picture, type Script } from './support.ts';

const DEADLINE_MS = 100;

/** Nothing that a model may say here lets a part pass. */
const fault = fc.constantFrom<Script>(
  'hang',
  'throw',
  'garbage',
  'LINK_LOST',
  'DEADLINE_EXCEEDED',
  'OVERLOADED',
  'BACKEND_FAILED',
  'UNAUTHENTICATED',
  'WORKER_LOST',
  'CLOSED',
  'INTERNAL',
  'TENSOR_MISMATCH',
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0.3001,
  0.5,
  0.99,
);

const flat = { kind: 'pixels', image: { width: 8, height: 8, data: new Uint8Array(192) } } as const;
const broken = { kind: 'encoded', format: 'png', bytes: new Uint8Array(4) } as const;

const capture = fc.record({
  partId: fc.constantFrom('P-1', 'X-1', null),
  more: fc.constantFrom<Partial<Capture>>(
    {},
    { picture: flat },
    { picture: broken },
    { picture: null, fault: { code: 'FILE_NOT_FOUND', message: 'gone' } },
    { picture: null, fault: null },
    { isRepeat: true },
    { picture: picture(3) },
  ),
  gapMs: fc.integer({ min: 0, max: 60 }),
});

const line = fc.record({
  captures: fc.array(capture, { minLength: 1, maxLength: 12 }),
  main: fc.array(fault, { minLength: 1, maxLength: 4 }),
  small: fc.option(fault, { nil: undefined }),
  isCascade: fc.boolean(),
  mainMs: fc.integer({ min: 0, max: 250 }),
  isRude: fc.boolean(),
  isReady: fc.boolean(),
  policy: fc.constantFrom('never-drop' as const, 'latest-wins' as const),
  workers: fc.integer({ min: 1, max: 3 }),
  pausesAt: fc.option(fc.nat(11), { nil: null }),
});

type LineCase = typeof line extends fc.Arbitrary<infer T> ? T : never;

/** Runs the case to its end. */
async function run(given: LineCase) {
  const made = await bench({
    main: (call) => given.main[call % given.main.length] as Script,
    mainMs: given.mainMs,
    ...(given.small === undefined ? {} : { small: given.small }),
    cascade: given.isCascade ? { sureBelow: 0.2, sureAbove: 0.8 } : null,
    deadlineMs: DEADLINE_MS,
    isReady: () => given.isReady,
    reading: { partId: { pattern: 'P-\\d', required: true } },
    stages: (all) => ({
      ...all,
      capture: { queue: 1, policy: given.policy },
      infer: { ...all.infer, workers: given.workers },
    }),
  });
  const { clock, station, main, take } = made;
  main.isRude = given.isRude;
  let taken = 0;
  for (const [at, { partId, more, gapMs }] of given.captures.entries()) {
    if (given.pausesAt === at) station.pause();
    void take(partId, { ...more, sequence: at }).then(() => taken++);
    await flow(clock, gapMs);
  }
  station.resume();
  await flow(clock, 5_000);
  // What hangs for ever holds its place: only a rude model can, and then the station cannot end either.
  if (!given.isRude) {
    const stopped = station.stop();
    await flow(clock, 40_000);
    await stopped;
    await flow(clock, 0);
  }
  return { ...made, taken };
}

const finalsOf = (records: readonly ResultRecord[]): string[] =>
  records.filter(({ isPartial }) => !isPartial).map(({ resultId }) => resultId);

describe('faults', () => {
  it('never make a part pass, and every part has its verdict in time', async () => {
    await fc.assert(
      fc.asyncProperty(line, async (given) => {
        const { sink, station } = await run(given);
        expect(sink.records.filter(({ verdict }) => verdict === 'PASS')).toEqual([]);
        const first = sink.records.filter(({ revision }) => revision === 0);
        for (const { totalMs, spans } of first) {
          // A pause gives a part that waits its whole time again.
          if (given.pausesAt === null) expect(totalMs).toBeLessThanOrEqual(DEADLINE_MS + 1e-6);
          expect(spans.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBeCloseTo(totalMs, 6);
        }
        expect(first.map(({ frame }) => frame)).toEqual(first.map(({ frame }) => frame).sort((a, b) => a - b));
        if (given.isRude) return;
        const { dropped } = station.snapshot.stages.capture;
        const counted = first.length + dropped;
        expect(counted).toBeGreaterThanOrEqual(given.captures.length);
        const ids = new Set(sink.records.map(({ resultId }) => resultId));
        expect(finalsOf(sink.records).sort()).toEqual([...ids].sort());
      }),
      { numRuns: 150 },
    );
  });

  it('let a part pass only where a model has passed it', async () => {
    const script = fc.oneof(fault, fc.constantFrom<Script>(0, 0.1, 0.19));
    await fc.assert(
      fc.asyncProperty(
        fc.record({ main: script, small: fc.option(script, { nil: undefined }) }),
        async ({ main, small }) => {
          const { clock, sink, take } = await bench({ main, ...(small === undefined ? {} : { small }) });
          await take('P-1');
          await flow(clock, 200);
          const passes = (value: Script | undefined, below: number): boolean =>
            typeof value === 'number' && value < below && value >= 0;
          const [record] = sink.records;
          if (record?.verdict === 'PASS') expect(passes(main, 0.3) || passes(small, 0.2)).toBe(true);
          if (passes(main, 0.3)) expect(record).toMatchObject({ verdict: 'PASS', isPartial: false });
        },
      ),
      { numRuns: 100 },
    );
  });
});
