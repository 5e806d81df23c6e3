// Trials of batches -> for which shapes and row counts stacking is known to give what single runs give.
import type { RunMode } from '../worker/jobs.ts';

/** Shape classes remembered; a model with more is run frame by frame beyond. */
const MAX_CLASSES = 256;

interface Record {
  off: boolean;
  /** Row counts that agreed, with batches run since the last check. */
  readonly proven: Map<number, number>;
}

/**
 * A symbolic first axis does not prove that rows are independent. Each row count of a shape class is tried against
 * single runs before it is used, again after every `recheckEvery` batches, and one disagreement ends batching of the class.
 */
export class BatchProofs {
  readonly #classes = new Map<string, Record>();
  readonly #recheckEvery: number;

  constructor(recheckEvery: number) {
    this.#recheckEvery = recheckEvery;
  }

  /** Whether frames of the class may run together at all. */
  mayStack(shapeClass: string): boolean {
    const record = this.#classes.get(shapeClass);
    return record === undefined ? this.#classes.size < MAX_CLASSES : !record.off;
  }

  /** How several frames with `rows` rows in all should run next. */
  modeOf(shapeClass: string, rows: number): RunMode {
    const record = this.#classes.get(shapeClass);
    const sinceCheck = record?.proven.get(rows);
    if (record === undefined || sinceCheck === undefined || sinceCheck >= this.#recheckEvery) return 'trial';
    record.proven.set(rows, sinceCheck + 1);
    return 'batch';
  }

  /** Takes in a trial. @returns true when this one switched the class off. */
  record(shapeClass: string, rows: number, agrees: boolean | null): boolean {
    if (agrees === null) return false;
    const record = this.#classes.get(shapeClass) ?? { off: false, proven: new Map<number, number>() };
    this.#classes.set(shapeClass, record);
    if (agrees) {
      record.proven.set(rows, 0);
      return false;
    }
    const isNews = !record.off;
    record.off = true;
    return isNews;
  }
}
