// The offset of two clocks from exchanges over a link with any delays: the truth is always within the bound.
import { seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { ClockOffset } from '../src/link/clock-offset.ts';

/** An exchange by an edge at `nowMs` with a cloud whose clock is `offsetMs` ahead and runs `drift` faster. */
function exchange(nowMs: number, upMs: number, cloudMs: number, downMs: number, offsetMs: number, drift = 0) {
  const byCloud = (ms: number): number => ms * (1 + drift) + offsetMs;
  return {
    sentMs: nowMs,
    cloudReceivedMs: byCloud(nowMs + upMs),
    cloudSentMs: byCloud(nowMs + upMs + cloudMs),
    receivedMs: nowMs + upMs + cloudMs + downMs,
  };
}

describe('the offset', () => {
  test('nothing is known before the first exchange', () => {
    expect(new ClockOffset().at(5)).toBeNull();
  });

  test('a symmetric exchange gives it, with half the way as its error', () => {
    const clocks = new ClockOffset();
    clocks.add(exchange(1000, 10, 5, 10, 123_456));
    expect(clocks.at(1025)?.offsetMs).toBeCloseTo(123_456, 6);
    expect(clocks.at(1025)?.errorMs).toBeCloseTo(10, 1);
  });

  test('a slow way up leaves the lower bound; a quick one gives the upper: together they are better than either', () => {
    const clocks = new ClockOffset();
    clocks.add(exchange(0, 400, 20, 2, 50));
    expect(clocks.at(422)?.errorMs).toBeCloseTo(201, 0);
    clocks.add(exchange(500, 3, 0, 60, 50));
    const { offsetMs, errorMs } = clocks.at(563)!;
    expect(errorMs).toBeLessThan(2.6);
    expect(Math.abs(offsetMs - 50)).toBeLessThanOrEqual(errorMs);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('the truth is within the bound, seed %i', (seed) => {
    const random = seededRandom(seed);
    const clocks = new ClockOffset();
    const drift = (random() - 0.5) * 3e-4;
    const offsetMs = (random() - 0.5) * 1e9;
    let nowMs = random() * 1e6;
    for (let count = 0; count < 400; count++) {
      nowMs += random() ** 4 * 60_000;
      const [up, down] = [random() ** 3 * 500, random() ** 3 * 80];
      const one = exchange(nowMs, up, random() * 30, down, offsetMs, drift);
      clocks.add(one);
      const found = clocks.at(one.receivedMs)!;
      const truth = one.receivedMs * (1 + drift) + offsetMs - one.receivedMs;
      expect(Math.abs(found.offsetMs - truth)).toBeLessThanOrEqual(found.errorMs + 1e-6);
      nowMs = one.receivedMs;
    }
  });

  test('after a jump of a clock the newest exchange counts', () => {
    const clocks = new ClockOffset();
    clocks.add(exchange(0, 5, 1, 5, 100));
    clocks.add(exchange(100, 5, 1, 5, 90_000));
    expect(clocks.at(111)?.offsetMs).toBeCloseTo(90_000, 3);
  });

  test('moments that contradict each other say nothing', () => {
    const clocks = new ClockOffset();
    clocks.add({ sentMs: 0, cloudReceivedMs: 10, cloudSentMs: 30, receivedMs: 15 });
    expect(clocks.at(20)).toBeNull();
  });
});
