// Records -> the few figures that a person watches: verdicts, rate, p50 and p99.
import type { Clock } from '@kerf/protocol';
import type { ResultRecord, ResultSpan, Verdict } from './result-record.ts';

/** Frames that the quantiles are over. */
const WINDOW_FRAMES = 512;
/** The rate is over frames of this time. */
const RATE_WINDOW_MS = 10_000;

/** `sink` is from the verdict until the store has the record: in no record, since that is made before. */
type TimedStage = ResultSpan['stage'] | 'sink';

export interface StationFigures {
  readonly frames: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Records that said a better one may follow. */
  readonly provisional: number;
  /** Of those, how many have been made final. */
  readonly reconciled: number;
  /** Over the last ten seconds. */
  readonly framesPerSecond: number;
  /** Of the last frames; null before the first. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly placements: Readonly<Record<ResultRecord['placement'], number>>;
  /** By the spans of records, those inside the session too, and `sink`: frames that were in it, and their mean time there. */
  readonly spans: Readonly<Partial<Record<TimedStage, { readonly frames: number; readonly meanMs: number }>>>;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export class Statistics {
  private readonly clock: Clock;
  private readonly startMs: number;
  private readonly verdicts: Record<Verdict, number> = { PASS: 0, REVIEW: 0, NG: 0, NO_READ: 0, ERROR: 0 };
  private readonly placements: Record<ResultRecord['placement'], number> = {
    edge: 0,
    cloud: 0,
    split: 0,
    small: 0,
    none: 0,
  };
  private readonly times = new Map<TimedStage, { frames: number; totalMs: number }>();
  private readonly window: { readonly atMs: number; readonly totalMs: number }[] = [];
  private frames = 0;
  private provisional = 0;
  private reconciled = 0;
  private bytesUp = 0;
  private bytesDown = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.startMs = clock.nowMs();
  }

  /**
   * Counts a record; a later one of the same frame replaces what the first one said.
   * @param sinkMs from the verdict of a first record until the store had it
   */
  count(record: ResultRecord, replaced: ResultRecord | null, sinkMs = 0): void {
    this.verdicts[record.verdict]++;
    this.bytesUp += record.bytesUp;
    this.bytesDown += record.bytesDown;
    if (replaced !== null) {
      this.verdicts[replaced.verdict]--;
      this.reconciled++;
      return;
    }
    this.frames++;
    this.placements[record.placement]++;
    if (record.isPartial) this.provisional++;
    this.countSpans([...record.spans, { stage: 'sink', durationMs: sinkMs }]);
    this.window.push({ atMs: this.clock.nowMs(), totalMs: record.totalMs });
    if (this.window.length > WINDOW_FRAMES) this.window.shift();
  }

  get figures(): StationFigures {
    const { frames, provisional, reconciled, bytesUp, bytesDown } = this;
    const sorted = this.window.map(({ totalMs }) => totalMs).sort((left, right) => left - right);
    const quantile = (share: number): number | null =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
    return {
      frames,
      verdicts: { ...this.verdicts },
      placements: { ...this.placements },
      spans: Object.fromEntries(
        [...this.times].map(([stage, { frames: count, totalMs }]) => [
          stage,
          { frames: count, meanMs: totalMs / count },
        ]),
      ),
      provisional,
      reconciled,
      bytesUp,
      bytesDown,
      framesPerSecond: this.rate(),
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
    };
  }

  private countSpans(spans: readonly { readonly stage: TimedStage; readonly durationMs: number }[]): void {
    for (const stage of new Set(spans.map((span) => span.stage))) {
      const known = this.times.get(stage) ?? { frames: 0, totalMs: 0 };
      const ownMs = spans.reduce((sum, span) => sum + (span.stage === stage ? span.durationMs : 0), 0);
      this.times.set(stage, { frames: known.frames + 1, totalMs: known.totalMs + ownMs });
    }
  }

  private rate(): number {
    const nowMs = this.clock.nowMs();
    const recent = this.window.filter(({ atMs }) => atMs > nowMs - RATE_WINDOW_MS);
    // A full window that is younger than ten seconds holds all that is known.
    const oldestMs = recent.length === WINDOW_FRAMES ? (recent[0]?.atMs ?? nowMs) : nowMs - RATE_WINDOW_MS;
    const spanMs = Math.max(1, nowMs - Math.max(oldestMs, this.startMs));
    return (recent.length * 1000) / spanMs;
  }
}
