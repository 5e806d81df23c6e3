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
   * Puts the time since the last mark into the session's spans; what the session does not account for is waiting. The
   * cloud's own spans lie where the offset of the clocks says; without one, half a round trip before the answer, since
   * answers are small and the way up carries the tensors.
   */
  markSession(spans: FrameSpans, atMs: number, roundTripMs: number | null): void {
    if (this.closed) return;
    const endMs = Math.max(this.markMs, atMs);
    this.add('queue', Math.max(0, endMs - this.markMs - spans.totalMs) + spans.queueMs);
    this.add('head', spans.headMs);
    this.add('encode', spans.encodeMs);
    this.addCrossing(spans, roundTripMs);
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

  /** The way up, what the cloud says it took, and the rest: the gateway's own time and the way down. */
  private addCrossing({ networkMs, cloudMs, cloud, wayDown }: FrameSpans, roundTripMs: number | null): void {
    if (cloud === null || cloudMs === 0) return this.add('wait', networkMs);
    const halfMs = roundTripMs === null ? networkMs / 2 : roundTripMs / 2;
    const downMs = Math.min(networkMs, wayDown?.ms ?? halfMs);
    const border = wayDown === null ? {} : { errorMs: wayDown.errorMs };
    this.add('send', networkMs - downMs, border);
    let leftMs = cloudMs;
    for (const [stage, ms] of [
      ['cloud-queue', cloud.queueMs],
      ['cloud-decode', cloud.decodeMs],
      ['tail', cloud.computeMs],
    ] as const) {
      const ownMs = Math.min(leftMs, ms);
      this.add(stage, ownMs);
      leftMs -= ownMs;
    }
    this.add('wait', leftMs + downMs, border);
  }

  private add(stage: Stage, durationMs: number, border: Pick<ResultSpan, 'errorMs'> = {}): void {
    if (!(durationMs > 0)) return;
    const last = this.spans.at(-1);
    if (last !== undefined && last.stage === stage) {
      this.spans[this.spans.length - 1] = { ...last, ...border, durationMs: last.durationMs + durationMs };
      return;
    }
    const startMs = last === undefined ? 0 : last.startMs + last.durationMs;
    this.spans.push({ stage, startMs, durationMs, ...border });
  }
}
