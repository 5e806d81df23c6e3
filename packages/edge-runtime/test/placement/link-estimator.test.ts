// Frames over a link whose rate is known, on a made-up clock -> is the estimate within 15 %?
import { seededRandom } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { LinkEstimator } from '../../src/placement/link-estimator.ts';
import { DEFAULT_PLACEMENT } from '../../src/placement/options.ts';
import { Probing } from '../../src/placement/probing.ts';

interface Traffic {
  readonly bitsPerSecond: number;
  readonly roundTripMs: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Between frames. */
  readonly periodMs: number;
  readonly frames: number;
  /** Either way, as a share of the round trip. */
  readonly jitter: number;
}

/** FIFO link, serial cloud; pings every second behind what is under way. */
function observe(traffic: Traffic, estimator = new LinkEstimator(), startMs = 0): number {
  const { bitsPerSecond, roundTripMs, bytesUp, bytesDown, periodMs, frames, jitter } = traffic;
  const random = seededRandom(11);
  const wireMs = (bytes: number): number => (bytes * 8000) / bitsPerSecond;
  const events: { atMs: number; run(): void }[] = [];
  let freeMs = startMs;
  let nowMs = startMs;
  for (let frame = 0; frame < frames; frame++) {
    nowMs = startMs + frame * periodMs;
    const free: { at: (endMs: number) => void } = { at: () => {} };
    const sentMs = nowMs + 3;
    events.push({ atMs: nowMs, run: () => (free.at = estimator.occupy(sentMs - 3)) });
    const pingMs = nowMs + periodMs * 0.9;
    freeMs = Math.max(freeMs, sentMs) + wireMs(bytesUp);
    const cloudMs = 5 + 4 * random();
    const receivedMs = freeMs + roundTripMs * (1 + jitter * random()) + cloudMs + wireMs(bytesDown);
    events.push({
      atMs: receivedMs,
      run: () => {
        estimator.onCrossed({ sentMs, receivedMs, cloudMs, bytesUp, bytesDown });
        free.at(receivedMs);
      },
    });
    const pongMs = Math.max(pingMs, freeMs) + roundTripMs * (1 + jitter * random());
    if (frame % 3 === 0) events.push({ atMs: pongMs, run: () => estimator.onRoundTrip(pongMs - pingMs, pongMs) });
  }
  events.sort((left, right) => left.atMs - right.atMs);
  for (const event of events) event.run();
  return events.at(-1)?.atMs ?? nowMs;
}

const RATES = [1, 2, 5, 10, 20, 50];
const base = { bytesUp: 60_000, bytesDown: 4_000, periodMs: 400, frames: 40, jitter: 0.05 };

function megabits(estimator: LinkEstimator, nowMs: number): number {
  return 8 / ((estimator.at(nowMs).upMsPerByte?.value ?? Number.NaN) * 1000);
}

describe('the uplink within 15 %', () => {
  it.each(RATES.flatMap((rate) => [10, 40, 120].map((roundTripMs) => ({ rate, roundTripMs }))))(
    '$rate Mbit/s, $roundTripMs ms, one frame at a time',
    ({ rate, roundTripMs }) => {
      const estimator = new LinkEstimator();
      const periodMs = Math.max(400, 480 / rate + roundTripMs + 100);
      const nowMs = observe({ ...base, bitsPerSecond: rate * 1e6, roundTripMs, periodMs }, estimator);
      expect(Math.abs(megabits(estimator, nowMs) / rate - 1)).toBeLessThan(0.15);
      expect(Math.abs((estimator.at(nowMs).roundTripMs?.value ?? 0) / roundTripMs - 1)).toBeLessThan(0.15);
      expect(estimator.at(nowMs).isFloor).toBe(false);
    },
  );

  it.each(RATES)('%d Mbit/s, frames as fast as the link carries them', (rate) => {
    const estimator = new LinkEstimator();
    const periodMs = 480 / rate;
    const before = observe(
      { ...base, bitsPerSecond: rate * 1e6, roundTripMs: 40, periodMs: 1500, frames: 4 },
      estimator,
    );
    const traffic = { ...base, bitsPerSecond: rate * 1e6, roundTripMs: 40, periodMs, frames: 60 };
    const nowMs = observe(traffic, estimator, before + 1000);
    expect(Math.abs(megabits(estimator, nowMs) / rate - 1)).toBeLessThan(0.15);
  });
});

describe('what cannot tell', () => {
  it('a small frame on a fast link is a floor, and only raises the estimate', () => {
    const estimator = new LinkEstimator();
    const nowMs = observe({ ...base, bitsPerSecond: 100e6, roundTripMs: 20, bytesUp: 2_000 }, estimator);
    expect(estimator.at(nowMs).isFloor).toBe(true);
    expect(megabits(estimator, nowMs)).toBeLessThan(100);
    const later = observe({ ...base, bitsPerSecond: 100e6, roundTripMs: 20, bytesUp: 200_000 }, estimator, nowMs + 100);
    expect(Math.abs(megabits(estimator, later) / 100 - 1)).toBeLessThan(0.2);
    expect(estimator.at(later).isFloor).toBe(false);
  });

  it('a frame without an answer shows that the link is no faster', () => {
    const estimator = new LinkEstimator();
    const nowMs = observe({ ...base, bitsPerSecond: 20e6, roundTripMs: 30 }, estimator);
    for (const at of [1, 2]) {
      const sentMs = nowMs + at * 1000;
      estimator.onUnanswered({ sentMs, untilMs: sentMs + 630, bytesUp: 60_000 });
    }
    // 60 kB in 600 ms at most.
    expect(megabits(estimator, nowMs + 3000)).toBeLessThan(0.9);
    // One that was given up soon says nothing that was not known.
    estimator.onUnanswered({ sentMs: nowMs + 4000, untilMs: nowMs + 4031, bytesUp: 60_000 });
    expect(megabits(estimator, nowMs + 4031)).toBeLessThan(0.9);
  });

  it('a change of the rate is followed at the second frame', () => {
    const estimator = new LinkEstimator();
    const nowMs = observe({ ...base, bitsPerSecond: 20e6, roundTripMs: 30 }, estimator);
    const later = observe({ ...base, bitsPerSecond: 3e6, roundTripMs: 30, frames: 2 }, estimator, nowMs + 400);
    expect(Math.abs(megabits(estimator, later) / 3 - 1)).toBeLessThan(0.25);
  });

  it('answers that overtake one another do not count twice', () => {
    const estimator = new LinkEstimator();
    estimator.onRoundTrip(20, 0);
    estimator.onCrossed({ sentMs: 10, receivedMs: 140, cloudMs: 10, bytesUp: 100_000, bytesDown: 0 });
    const before = megabits(estimator, 150);
    estimator.onCrossed({ sentMs: 5, receivedMs: 150, cloudMs: 100, bytesUp: 100_000, bytesDown: 0 });
    expect(megabits(estimator, 150)).toBe(before);
  });
});

describe('probes', () => {
  it('are sent when the estimate is old or a floor, within the bytes of a minute', () => {
    const options = { ...DEFAULT_PLACEMENT, probeBytesPerMinute: 300_000, maxProbeBytes: 40_000 };
    const probing = new Probing(options);
    const estimator = new LinkEstimator();
    expect(probing.due(estimator.at(0), 0, 0)).toBeNull();
    estimator.onRoundTrip(20, 0);
    let bytes = 0;
    for (let nowMs = 0; nowMs < 120_000; nowMs += 500) {
      const size = probing.due(estimator.at(nowMs), 0, nowMs);
      if (size === null) continue;
      bytes += size.upBytes + size.downBytes;
      estimator.onProbe(size.upBytes, size.downBytes, 20 + (size.upBytes * 8000) / 10e6, nowMs + 100);
    }
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThan(650_000);
    expect(Math.abs(megabits(estimator, 120_000) / 10 - 1)).toBeLessThan(0.15);
  });

  it('are not sent while frames tell enough', () => {
    const probing = new Probing(DEFAULT_PLACEMENT);
    const estimator = new LinkEstimator();
    const nowMs = observe({ ...base, bitsPerSecond: 5e6, roundTripMs: 30 }, estimator);
    expect(probing.due(estimator.at(nowMs), 0, nowMs)).toBeNull();
  });
});
