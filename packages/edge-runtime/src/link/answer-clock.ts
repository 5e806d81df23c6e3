// Pings, frames and answers of one connection -> how long each answer was on its way down, by the offset of the clocks.
import type { Pong, Result } from '@kerf/protocol';
import { ClockOffset } from './clock-offset.ts';

/** From the cloud to the edge. */
export interface WayDown {
  readonly ms: number;
  /** How far `ms` may be from the truth. */
  readonly errorMs: number;
}

export class AnswerClock {
  private readonly offset = new ClockOffset();
  /** When frames were sent that are still to be answered; credits bound it. */
  private readonly sentAtMs = new Map<number, number>();

  sent(frame: number, nowMs: number): void {
    this.sentAtMs.set(frame, nowMs);
  }

  ponged({ atMs }: Pong, sentMs: number, receivedMs: number): void {
    if (atMs === undefined) return;
    this.offset.add({ sentMs, cloudReceivedMs: atMs, cloudSentMs: atMs, receivedMs });
  }

  /** The frame has its answer, or its fault. */
  answered(frame: number): void {
    this.sentAtMs.delete(frame);
  }

  /** Every answer says something of the clocks, and then has its own time by them; null where the cloud does not say. */
  wayDown({ frame, spans }: Result, receivedMs: number): WayDown | null {
    if (spans.receivedMs === undefined) return null;
    const cloudSentMs = spans.receivedMs + spans.totalMs;
    const sentMs = this.sentAtMs.get(frame);
    // One that was sent over the connection before has no moment here.
    if (sentMs !== undefined) {
      this.offset.add({ sentMs, cloudReceivedMs: spans.receivedMs, cloudSentMs, receivedMs });
    }
    const known = this.offset.at(receivedMs);
    if (known === null) return null;
    return { ms: Math.max(0, receivedMs - cloudSentMs + known.offsetMs), errorMs: known.errorMs };
  }
}
