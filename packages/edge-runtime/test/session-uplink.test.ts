// Sessions over an uplink that is thinner than what they have to send.

import type { Clock, Transport, TransportHandler } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import type { FakeClock } from './support/fake-clock.ts';
import { splitConfig, stage, type Watched } from './support/fixtures.ts';
import { ScriptedCloud } from './support/scripted-cloud.ts';

const FRAME_BYTES = 20_000;
const ROUND_TRIP_MS = 40;

interface Pipe {
  bytesPerMs: number;
  /** Bytes that waited in it, at most. */
  most: number;
}

/** What `inner` sends waits for a link that carries `pipe.bytesPerMs`, in its order, and half a round trip each way. */
class Thin implements Transport {
  freeMs = 0;
  private readonly inner: Transport;
  private readonly clock: Clock;
  private readonly pipe: Pipe;

  constructor(inner: Transport, clock: Clock, pipe: Pipe) {
    this.inner = inner;
    this.clock = clock;
    this.pipe = pipe;
  }

  get bufferedBytes(): number {
    return Math.max(0, this.freeMs - this.clock.nowMs()) * this.pipe.bytesPerMs;
  }

  start(handler: TransportHandler): void {
    this.inner.start({
      onMessage: (bytes) => void this.clock.after(ROUND_TRIP_MS / 2, () => handler.onMessage(bytes)),
      onClose: (close) => handler.onClose(close),
    });
  }

  send(message: Uint8Array): void {
    this.freeMs = Math.max(this.freeMs, this.clock.nowMs()) + message.byteLength / this.pipe.bytesPerMs;
    this.pipe.most = Math.max(this.pipe.most, this.bufferedBytes);
    const bytes = message.slice();
    this.clock.after(this.freeMs - this.clock.nowMs() + ROUND_TRIP_MS / 2, () => this.inner.send(bytes));
  }

  close(code: number, reason: string): void {
    this.inner.close(code, reason);
  }
}

interface Line {
  readonly clock: FakeClock;
  readonly cloud: ScriptedCloud;
  readonly pipe: Pipe;
  /** A frame each 200 ms, answered as soon as it is there; their outcomes, once all have one. */
  readonly feed: (count: number) => Promise<Watched[]>;
}

async function line(bytesPerMs: number, deadlineMs: number, tail: boolean): Promise<Line> {
  const pipe = { bytesPerMs, most: 0 };
  const cloud = new ScriptedCloud();
  cloud.credits = 16;
  cloud.answersFrames = true;
  cloud.inputs = [{ name: 'mid', dtype: 'uint8', shape: ['n'] }];
  const { clock, infer } = await stage(
    (its) => ({
      ...splitConfig({ tail })(its),
      cloud: { model: 'm', token: null, connect: async (signal) => new Thin(await cloud.connect(signal), its, pipe) },
    }),
    { deadlineMs },
    cloud,
  );
  await clock.advance(1000);
  const values = Array.from({ length: FRAME_BYTES }, () => 1);
  const feed = async (count: number): Promise<Watched[]> => {
    const frames: Watched[] = [];
    for (let at = 0; at < count; at++) {
      frames.push(infer(values));
      await clock.advance(200);
    }
    await clock.advance(deadlineMs);
    return frames;
  };
  return { clock, cloud, pipe, feed };
}

const kindOf = ({ outcome }: Watched): string => {
  if (outcome === null) return 'pending';
  return outcome.kind === 'failed' ? outcome.code : outcome.placement;
};

describe('an uplink of 20 kbit/s and five frames of 20 KB each second', () => {
  it('carries one at a time; the device finishes all in time, and a short message waits for one frame at most', async () => {
    const { cloud, feed, pipe } = await line(2.5, 2000, true);
    const frames = await feed(100);
    expect(new Set(frames.map(kindOf))).toEqual(new Set(['edge']));
    expect(Math.max(...frames.map(({ outcome }) => outcome?.spans.totalMs ?? 0))).toBeLessThanOrEqual(2000);
    expect(cloud.connections).toHaveLength(1);
    expect(pipe.most).toBeLessThan(1.1 * FRAME_BYTES);
  });

  it('still answers what can be in time: the cloud does as many frames as the link carries', async () => {
    const { feed } = await line(2.5, 12_000, false);
    const frames = await feed(200);
    // 8 s each, for 52 s.
    expect(frames.filter((frame) => kindOf(frame) === 'split').length).toBeGreaterThanOrEqual(5);
  });

  it('is used again at once where it becomes wide', async () => {
    const { feed, pipe, clock } = await line(2.5, 2000, true);
    await feed(50);
    await clock.advance(8000);
    pipe.bytesPerMs = 2000;
    const frames = await feed(20);
    expect(frames.map(kindOf)).toEqual(Array.from({ length: 20 }, () => 'split'));
  });

  it('that was wide a moment ago is not filled before that is noticed', async () => {
    const { feed, pipe } = await line(2000, 2000, true);
    expect(new Set((await feed(20)).map(kindOf))).toEqual(new Set(['split']));
    pipe.bytesPerMs = 2.5;
    await feed(150);
    expect(pipe.most).toBeLessThan(3.5 * FRAME_BYTES);
  });
});

it('a link that carries all is kept full, however long its round trip', async () => {
  const { feed } = await line(2000, 2000, false);
  const frames = await feed(50);
  expect(new Set(frames.map(kindOf))).toEqual(new Set(['split']));
  for (const { outcome } of frames) expect(outcome?.spans.totalMs).toBeLessThan(80);
});
