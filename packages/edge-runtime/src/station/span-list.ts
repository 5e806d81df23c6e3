// Moments of a frame -> spans one after the other, which add up to the frame's time.
import type { FrameSpans } from '../session/outcome.ts';
import type { ResultSpan } from './result-record.ts';

type Stage = ResultSpan['stage'];

/** Every moment between `startMs` and the last mark is in exactly one span. */
export class SpanList {
  readonly startMs: number;
  private markMs: number;
  private closed = false;
  private readonly spans: ResultSpan[] = [];

  constructor(startMs: number) {
    this.startMs = startMs;
    this.markMs = startMs;
  }

  /** The frame has its verdict: what still happens to it is no longer its time. */
  close(): void {
    this.closed = true;
  }

  /** Puts the time since the last mark into `stage`. */
  mark(stage: Stage, atMs: number): void {
    if (this.closed) return;
    this.add(stage, atMs - this.markMs);
    this.markMs = Math.max(this.markMs, atMs);
  }

  /**
   * Puts the time since the last mark into the session's spans; what the session does not account for is waiting.
   * The cloud's clock is never compared with the station's: its span is placed by an estimate of the way down, half of
   * the link's round trip, since answers are small and the way up carries the tensors.
   */
  markSession(spans: FrameSpans, atMs: number, roundTripMs: number | null): void {
    if (this.closed) return;
    const endMs = Math.max(this.markMs, atMs);
    const downMs = Math.min(spans.networkMs, roundTripMs === null ? spans.networkMs / 2 : roundTripMs / 2);
    this.add('queue', Math.max(0, endMs - this.markMs - spans.totalMs) + spans.queueMs);
    this.add('head', spans.headMs);
    this.add('encode', spans.encodeMs);
    this.add('network', spans.networkMs - downMs);
    this.add('cloud', spans.cloudMs);
    this.add('network', downMs);
    this.add('decode', spans.decodeMs);
    this.add('local', spans.localMs);
    this.markMs = endMs;
  }

  /** From the start to the last mark. */
  get totalMs(): number {
    return this.markMs - this.startMs;
  }

  list(): readonly ResultSpan[] {
    return [...this.spans];
  }

  private add(stage: Stage, durationMs: number): void {
    if (!(durationMs > 0)) return;
    const last = this.spans.at(-1);
    if (last !== undefined && last.stage === stage) {
      this.spans[this.spans.length - 1] = { ...last, durationMs: last.durationMs + durationMs };
      return;
    }
    const startMs = last === undefined ? 0 : last.startMs + last.durationMs;
    this.spans.push({ stage, startMs, durationMs });
  }
}
