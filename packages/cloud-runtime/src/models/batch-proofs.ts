// Trials of batches -> for which shapes and row counts stacking is known to give what single runs give, and to be faster.
import type { Clock } from '@kerf/protocol';
import type { BatchingOptions } from '../limits.ts';
import type { TrialResult } from '../worker/jobs.ts';

/** Shape classes remembered; a model with more is run frame by frame beyond. */
const MAX_CLASSES = 256;
/** After so many trials in a row without a gain, the class is left as it is for a while. */
const TRIALS_WITHOUT_GAIN = 3;
/** What gains nothing now may gain later: another load, another clock rate of the processor. */
const NO_GAIN_PAUSE_MS = 60_000;
/** Frames that were all the same prove nothing; the next ones may differ. */
const INCONCLUSIVE_PAUSE_MS = 1000;
/** A trial runs its frames twice or three times: the next one waits for so many times as long as the stacked run took. */
const REST_PER_TRIAL = 10;

/** Each check that holds doubles the batches until the next one, so often: a check costs as much as several batches. */
const MOST_DOUBLINGS = 4;

type ProofOptions = Pick<BatchingOptions, 'recheckEvery' | 'maxTimeShare'>;

interface Record {
  off: boolean;
  /** What is proven is used meanwhile. */
  noTrialUntilMs: number;
  trialsWithoutGain: number;
  /** Row counts that agreed and gained. */
  readonly proven: Map<number, Proof>;
}

interface Proof {
  /** Checks that have held since the first. */
  readonly checks: number;
  /** Batches run since the last one. */
  batches: number;
}

/**
 * A symbolic first axis does not prove that rows are independent, nor that a batch is faster: on a processor it often is
 * not. Each row count of a shape class is tried against single runs before it is used, again after `recheckEvery` batches, and
 * then after twice as many as the last time. One disagreement ends batching of the class; trials without a gain pause it.
 */
export class BatchProofs {
  readonly #classes = new Map<string, Record>();
  readonly #options: ProofOptions;
  readonly #clock: Clock;

  constructor(options: ProofOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * Rows of the class that may run together now; 1: frames run alone. It doubles with what has been proven: a trial runs
   * its frames two or three times, so the first ones are small.
   */
  rowLimit(shapeClass: string): number {
    const record = this.#classes.get(shapeClass);
    if (record === undefined) return this.#classes.size < MAX_CLASSES ? 2 : 1;
    if (record.off) return 1;
    const proven = Math.max(1, ...record.proven.keys());
    return this.#mayTry(record) ? 2 * proven : proven;
  }

  /**
   * What is known of several frames with `rows` rows in all; `due`: it was proven, and is to be checked again; `resting`: nothing,
   * and it is not to be tried now.
   */
  standingOf(shapeClass: string, rows: number): 'proven' | 'due' | 'unknown' | 'resting' {
    const record = this.#classes.get(shapeClass);
    const mayTry = record === undefined || this.#mayTry(record);
    const proof = record?.proven.get(rows);
    if (proof === undefined) return mayTry ? 'unknown' : 'resting';
    const dueAfter = this.#options.recheckEvery * 2 ** Math.min(proof.checks, MOST_DOUBLINGS);
    return mayTry && proof.batches >= dueAfter ? 'due' : 'proven';
  }

  /** A batch of proven rows is about to run. */
  used(shapeClass: string, rows: number): void {
    const proof = this.#classes.get(shapeClass)?.proven.get(rows);
    if (proof !== undefined) proof.batches++;
  }

  switchOff(shapeClass: string): void {
    const record = this.#classes.get(shapeClass);
    if (record !== undefined) record.off = true;
  }

  /** Takes in a trial. @returns true when this one switched the class off. */
  record(shapeClass: string, rows: number, trial: TrialResult): boolean {
    const record = this.#classes.get(shapeClass) ?? {
      off: false,
      noTrialUntilMs: 0,
      trialsWithoutGain: 0,
      proven: new Map<number, Proof>(),
    };
    this.#classes.set(shapeClass, record);
    this.#pause(record, REST_PER_TRIAL * trial.stackedMs);
    if (trial.agrees === null) {
      this.#pause(record, INCONCLUSIVE_PAUSE_MS);
      return false;
    }
    if (!trial.agrees) {
      const isNews = !record.off;
      record.off = true;
      return isNews;
    }
    if (trial.stackedMs <= this.#options.maxTimeShare * trial.singleMs) {
      record.trialsWithoutGain = 0;
      record.proven.set(rows, { checks: (record.proven.get(rows)?.checks ?? -1) + 1, batches: 0 });
      return false;
    }
    record.proven.delete(rows);
    record.trialsWithoutGain++;
    if (record.trialsWithoutGain >= TRIALS_WITHOUT_GAIN) {
      record.trialsWithoutGain = 0;
      this.#pause(record, NO_GAIN_PAUSE_MS);
    }
    return false;
  }

  #mayTry({ noTrialUntilMs }: Record): boolean {
    return noTrialUntilMs <= this.#clock.nowMs();
  }

  #pause(record: Record, pauseMs: number): void {
    record.noTrialUntilMs = Math.max(record.noTrialUntilMs, this.#clock.nowMs() + pauseMs);
  }
}
