// What earlier answers took -> whether to ask for the next one as it is, or coded without loss.
//
// Coding saves bytes and costs time on both sides: it pays on a slow link and is the longest part of the way on a fast one. Which
// of both a link is, nobody says; so both forms are tried, and coded ones are asked for where they clearly take less.

export type Form = 'coded' | 'raw';

export interface AnswerCost {
  /** Of the answer's message. */
  readonly bytes: number;
  /** Of its tensors, decoded. */
  readonly tensorBytes: number;
  /** From the sending of the frame until its outputs are there, less waiting for and running of the model. */
  readonly ms: number;
}

/** Answers below this go in a few packets either way. */
const LEAST_BYTES = 4096;
/** What this many say, most of them, counts: one answer may have waited behind others. */
const TRIALS = 3;
/** Coded answers take less than this share of the time, or raw ones are asked for: those cost neither side's processor. */
const CLEARLY_LESS = 0.9;
/** The form that is not in use is tried again after so many frames, times how much longer it took. */
const AGAIN_AFTER = 64;
const LONGEST_PAUSE = 4096;
/** A trial of raw answers may take this share of the time that the frame has. */
const SHARE_OF_DEADLINE = 0.25;

/**
 * The form in use, and now and then a frame that tries the other one. A trial is held against the answers just before it and no
 * others: on a busy link or processor, what one form took a while ago says nothing of the other one now.
 */
export class AnswerForm {
  /** The last few answers of each form, in milliseconds. */
  readonly #recent: Record<Form, number[]> = { coded: [], raw: [] };
  /** Of the last few trials: what a coded answer took over what a raw one took. */
  readonly #ratios: number[] = [];
  #choice: Form = 'coded';
  /** Trials wanted at once: to begin with, and where one has said otherwise than those before. */
  #wanted = TRIALS;
  /** Frames until the other form is tried. */
  #pause = 0;
  #asked = 0;
  /** What a raw answer takes at the most, were the link the only cause of what coded ones took. */
  #mostRawMs = Number.POSITIVE_INFINITY;

  /** For the frame that is sent now, which has `remainingMs` left. */
  next(remainingMs: number): Form {
    // Not before the first answer: it says whether there is anything to gain.
    if (!Number.isFinite(this.#mostRawMs)) return this.#choice;
    const isDue = this.#wanted > 0 ? this.#asked++ % 2 === 0 : --this.#pause < 0;
    if (!isDue) return this.#choice;
    const other: Form = this.#choice === 'coded' ? 'raw' : 'coded';
    if (other === 'raw' && this.#mostRawMs > SHARE_OF_DEADLINE * remainingMs) return this.#choice;
    if (this.#wanted === 0) this.#setPause();
    return other;
  }

  note(form: Form, { bytes, tensorBytes, ms }: AnswerCost): void {
    if (tensorBytes < LEAST_BYTES) return;
    keepLast(this.#recent[form], ms);
    if (form === 'coded') this.#mostRawMs = ms * Math.max(1, tensorBytes / Math.max(1, bytes));
    if (form === this.#choice) return;
    const inUse = this.#recent[this.#choice];
    if (inUse.length > 0) this.#tried(form === 'coded' ? ms / median(inUse) : median(inUse) / ms);
  }

  #tried(ratio: number): void {
    keepLast(this.#ratios, ratio);
    if (this.#wanted > 0) this.#wanted--;
    else if (chosenAt(ratio) !== this.#choice) this.#wanted = TRIALS - 1;
    if (this.#ratios.length < TRIALS || this.#wanted > 0) return;
    this.#choice = chosenAt(median(this.#ratios));
    this.#setPause();
  }

  #setPause(): void {
    const ratio = median(this.#ratios);
    const times = this.#choice === 'raw' ? ratio : 1 / ratio;
    this.#pause = Math.min(LONGEST_PAUSE, Math.ceil(AGAIN_AFTER * Math.max(1, times)));
  }
}

function chosenAt(ratio: number): Form {
  return ratio < CLEARLY_LESS ? 'coded' : 'raw';
}

function keepLast(values: number[], value: number): void {
  values.push(value);
  if (values.length > TRIALS) values.shift();
}

/** The upper of the two in the middle where there is none between. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 1;
}
