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

type ProofOptions = Pick<BatchingOptions, 'recheckEvery' | 'maxTimeShare'>;

interface Record {
  off: boolean;
  /** What is proven is used meanwhile. */
  noTrialUntilMs: number;
  trialsWithoutGain: number;
  /** Row counts that agreed and gained, with batches run since the last check. */
  readonly proven: Map<number, number>;
}

/**
 * A symbolic first axis does not prove that rows are independent, nor that a batch is faster: on a processor it often is
 * not. Each row count of a shape class is tried against single runs before it is used, again after every `recheckEvery`
 * batches. One disagreement ends batching of the class; trials without a gain pause it.
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
    const sinceCheck = record?.proven.get(rows);
    if (sinceCheck === undefined) return mayTry ? 'unknown' : 'resting';
    return mayTry && sinceCheck >= this.#options.recheckEvery ? 'due' : 'proven';
  }

  /** A batch of proven rows is about to run. */
  used(shapeClass: string, rows: number): void {
    const proven = this.#classes.get(shapeClass)?.proven;
    proven?.set(rows, (proven.get(rows) ?? 0) + 1);
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
      proven: new Map<number, number>(),
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
      record.proven.set(rows, 0);
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
