// The health gate: what it keeps, what it sends back, and when it waits; the maintenance window; versions and pairs.
import {
  checkRuntime,
  HealthGate,
  isInWindow,
  isPaired,
  parseMaintenanceWindow,
  type ShadowAnswer,
} from '@kerf/delta-sync';
import { seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { sampleManifest } from './support/releases.ts';

type Verdict = ShadowAnswer['verdict'];
const answer = (verdict: Verdict, latencyMs = 10): ShadowAnswer => ({ verdict, latencyMs });

/** Both on the same frames; `flip` is the share on which the new one says something else. */
function gateAfter(
  frames: number,
  { flip, to, latencyMs = 10, seed = 1 }: { flip: number; to: Verdict; latencyMs?: number; seed?: number },
): HealthGate {
  const random = seededRandom(seed);
  const gate = new HealthGate();
  for (let frame = 0; frame < frames; frame++) {
    const old: Verdict = random() < 0.9 ? 'PASS' : random() < 0.5 ? 'NG' : 'REVIEW';
    gate.add(answer(old), answer(random() < flip ? to : old, latencyMs));
  }
  return gate;
}

describe('health gate', () => {
  test('the same verdicts at the same speed: kept, once there are enough frames', () => {
    expect(gateAfter(199, { flip: 0, to: 'NG' }).judge()).toMatchObject({ decision: 'wait' });
    expect(gateAfter(200, { flip: 0, to: 'NG' }).judge()).toMatchObject({
      decision: 'keep',
      reason: 'healthy on 200 frames',
    });
  });

  test.each<[string, { flip: number; to: Verdict; latencyMs?: number }, RegExp]>([
    ['more NG', { flip: 0.25, to: 'NG' }, /share of NG moved by/],
    ['more REVIEW', { flip: 0.4, to: 'REVIEW' }, /share of REVIEW/],
    ['no NG any more, rare as it was', { flip: 0.9, to: 'PASS' }, /that were NG are PASS now/],
    ['errors', { flip: 0.05, to: 'ERROR' }, /have no answer/],
    ['codes that are no longer read', { flip: 0.1, to: 'NO_READ' }, /have no answer/],
    ['three times as slow', { flip: 0, to: 'NG', latencyMs: 31 }, /95 % of frames take up to 31\.0 ms, 10\.0 ms/],
  ])('%s: back', (_, change, reason) => {
    expect(gateAfter(5000, change).judge()).toMatchObject({
      decision: 'rollBack',
      reason: expect.stringMatching(reason) as string,
    });
  });

  test('a handful of NG that are PASS now prove nothing; a few dozen do', () => {
    const gate = new HealthGate();
    const escapes = (count: number): void => {
      for (let frame = 0; frame < count; frame++) gate.add(answer('NG'), answer('PASS'));
    };
    for (let frame = 0; frame < 3000; frame++) gate.add(answer('PASS'), answer('PASS'));
    escapes(3);
    expect(gate.judge().decision).toBe('keep');
    escapes(40);
    expect(gate.judge()).toMatchObject({
      decision: 'rollBack',
      reason: '43 of 43 frames that were NG are PASS now',
      cause: { kind: 'gate-escaped', escaped: 43, ng: 43 },
    });
  });

  test('errors end it at once: nobody waits for two hundred bad frames', () => {
    const gate = new HealthGate();
    for (let frame = 0; frame < 3; frame++) gate.add(answer('PASS'), answer('ERROR'));
    expect(gate.judge().decision).toBe('rollBack');
  });

  test('an old release that fails as often is no reason', () => {
    const gate = new HealthGate();
    for (let frame = 0; frame < 300; frame++) gate.add(answer('ERROR'), answer('ERROR'));
    expect(gate.judge().decision).toBe('keep');
  });

  test('a hiccup among few frames is no slower release; one that is slow every fifth time is', () => {
    const gate = new HealthGate({ minFrames: 20, maxFrames: 2000 });
    for (let frame = 0; frame < 20; frame++) gate.add(answer('PASS'), answer('PASS', frame === 7 ? 325 : 10));
    expect(gate.judge().decision).toBe('wait');
    gate.add(answer('PASS'), answer('PASS'));
    expect(gate.judge().decision).toBe('keep');
    for (let frame = 0; frame < 100; frame++) gate.add(answer('PASS'), answer('PASS', frame % 5 === 0 ? 325 : 10));
    expect(gate.judge()).toMatchObject({ decision: 'rollBack', cause: { kind: 'gate-slower', beforeMs: 10 } });
  });

  test('a little more often slow than may be: watched until the frames are enough, then back', () => {
    const gate = new HealthGate({ minFrames: 100, maxFrames: 1000 });
    const decisions: string[] = [];
    for (let frame = 0; frame < 1000; frame++) {
      gate.add(answer('PASS'), answer('PASS', frame % 17 === 0 ? 40 : 10));
      decisions.push(gate.judge().decision);
    }
    expect(decisions.slice(0, -1)).not.toContain('rollBack');
    expect(decisions.at(-1)).toBe('rollBack');
  });

  test('slower, and still fast enough', () => {
    expect(gateAfter(300, { flip: 0, to: 'NG', latencyMs: 19 }).judge().decision).toBe('keep');
  });

  test('a shift near the limit waits for more frames, and ends', () => {
    expect(gateAfter(250, { flip: 0.08, to: 'NG' }).judge().decision).toBe('wait');
    expect(gateAfter(5000, { flip: 0.08, to: 'NG' }).judge().decision).toBe('rollBack');
  });

  test('of a thousand healthy releases, none is sent back by chance', () => {
    const decisions = Array.from(
      { length: 1000 },
      (_, seed) => gateAfter(400, { flip: 0.02, to: 'NG', seed: seed + 1 }).judge().decision,
    );
    expect(decisions.filter((decision) => decision === 'rollBack')).toEqual([]);
  });
});

describe('maintenance window', () => {
  test.each<[string, number, string, boolean]>([
    ['22:00-05:00', 1, '23:30', true],
    ['22:00-05:00', 1, '04:59', true],
    ['22:00-05:00', 1, '05:00', false],
    ['22:00-05:00', 1, '12:00', false],
    ['08:00-12:00', 1, '08:00', true],
    ['08:00-12:00', 1, '12:00', false],
    ['00:00-24:00', 1, '23:59', true],
    ['sat,sun 00:00-24:00', 6, '10:00', true],
    ['sat,sun 00:00-24:00', 5, '10:00', false],
    ['sat 22:00-06:00', 0, '05:00', true],
    ['sat 22:00-06:00', 6, '05:00', false],
  ])('%s on day %i at %s: %s', (text, day, time, expected) => {
    const [hours, minutes] = time.split(':').map(Number) as [number, number];
    expect(isInWindow(parseMaintenanceWindow(text), { day, minute: hours * 60 + minutes })).toBe(expected);
  });

  test.each(['', 'always', '22-05', '25:00-05:00', '22:60-05:00', 'xyz 22:00-05:00', '08:00-08:00'])(
    "'%s' is none",
    (text) => {
      expect(() => parseMaintenanceWindow(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    },
  );
});

test('versions are compared as numbers; heads talk to their tails only', () => {
  const needs =
    (onnxruntime: string): (() => void) =>
    () =>
      checkRuntime(sampleManifest({ runtime: { kerf: null, onnxruntime } }), {
        kerf: '0.1.0',
        onnxruntime: '1.30.0-dev.1',
      });
  expect(needs('1.9.0')).not.toThrow();
  expect(needs('1.30.0')).not.toThrow();
  expect(needs('1.30.1')).toThrow(expect.objectContaining({ code: 'RUNTIME_TOO_OLD' }));
  expect(needs('2.0.0')).toThrow(expect.objectContaining({ code: 'RUNTIME_TOO_OLD' }));
  const [a, b] = ['aa'.repeat(32), 'bb'.repeat(32)];
  expect(isPaired({ tails: [a, b] }, { pair: b })).toBe(true);
  expect(isPaired({ tails: [a] }, { pair: b })).toBe(false);
  expect(isPaired({ tails: [a] }, { pair: null })).toBe(false);
});
