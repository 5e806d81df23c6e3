// Moments of a frame -> spans that add up to its wall time.
import type { Clock, CloudSpans } from '@kerf/protocol';
import type { WayDown } from '../link/answer-clock.ts';
import type { FrameSpans } from './outcome.ts';

type Part = 'queueMs' | 'headMs' | 'encodeMs' | 'networkMs' | 'cloudMs' | 'decodeMs' | 'localMs';

/** Every moment since `infer` is put into exactly one part. */
export class SpanLedger {
  private readonly clock: Clock;
  private readonly startMs: number;
  private markMs: number;
  private cloud: CloudSpans | null = null;
  private wayDown: WayDown | null = null;
  private readonly parts: Record<Part, number> = {
    queueMs: 0,
    headMs: 0,
    encodeMs: 0,
    networkMs: 0,
    cloudMs: 0,
    decodeMs: 0,
    localMs: 0,
  };

  constructor(clock: Clock) {
    this.clock = clock;
    this.startMs = clock.nowMs();
    this.markMs = this.startMs;
  }

  /** Puts the time since the last mark into `part`. */
  mark(part: Part, atMs = this.clock.nowMs()): void {
    this.parts[part] += Math.max(0, atMs - this.markMs);
    this.markMs = Math.max(this.markMs, atMs);
  }

  /** An answer came at `receivedMs`: what the cloud does not account for is the network. */
  markAnswer(cloud: CloudSpans, receivedMs: number, wayDown: WayDown | null): void {
    const roundTripMs = Math.max(0, receivedMs - this.markMs);
    const cloudMs = Math.min(cloud.totalMs, roundTripMs);
    this.parts.cloudMs += cloudMs;
    this.parts.networkMs += roundTripMs - cloudMs;
    this.markMs = Math.max(this.markMs, receivedMs);
    this.cloud = cloud;
    const onTheWayMs = roundTripMs - cloudMs;
    this.wayDown = wayDown === null ? null : { ...wayDown, ms: Math.min(wayDown.ms, onTheWayMs) };
  }

  /** An answer came while the device was at the frame: its time is the device's, the cloud's account is kept. */
  markLateAnswer(cloud: CloudSpans, receivedMs: number): void {
    this.mark('localMs', receivedMs);
    this.cloud = cloud;
  }

  spans(): FrameSpans {
    return { ...this.parts, totalMs: this.markMs - this.startMs, cloud: this.cloud, wayDown: this.wayDown };
  }
}
