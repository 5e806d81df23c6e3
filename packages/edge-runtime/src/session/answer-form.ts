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
/** Of each form before one is chosen; the first one of each also pays for what is not warm yet. */
const TRIALS = 3;
/** Coded answers take less than this share of the time, or raw ones are asked for: those cost neither side's processor. */
const CLEARLY_LESS = 0.9;
/** The form that is not in use is tried again after so many frames, times how much longer it took. */
const AGAIN_AFTER = 64;
const LONGEST_PAUSE = 4096;
/** A trial of raw answers may take this share of the time that the frame has. */
const SHARE_OF_DEADLINE = 0.25;

export class AnswerForm {
  readonly #costs: Record<Form, number[]> = { coded: [], raw: [] };
  #choice: Form = 'coded';
  /** Frames until the other form is tried. */
  #pause = 0;
  #asked = 0;
  /** What a raw answer takes at the most, were the link the only cause of what coded ones took. */
  #mostRawMs = Number.POSITIVE_INFINITY;

  /** For the frame that is sent now, which has `remainingMs` left. */
  next(remainingMs: number): Form {
    const other: Form = this.#choice === 'coded' ? 'raw' : 'coded';
    // Not before the first answer: it says whether there is anything to gain.
    if (this.#costs.coded.length === 0) return 'coded';
    if (!Number.isFinite(this.#mostRawMs)) return 'coded';
    const isLearning = this.#costs.raw.length < TRIALS || this.#costs.coded.length < TRIALS;
    const isDue = isLearning ? this.#asked++ % 2 === 0 : --this.#pause < 0;
    if (!isDue) return this.#choice;
    if (other === 'raw' && this.#mostRawMs > SHARE_OF_DEADLINE * remainingMs) return this.#choice;
    if (!isLearning) this.#setPause();
    return other;
  }

  note(form: Form, { bytes, tensorBytes, ms }: AnswerCost): void {
    if (tensorBytes < LEAST_BYTES) return;
    const costs = this.#costs[form];
    costs.push(ms);
    if (costs.length > TRIALS) costs.shift();
    if (form === 'coded') this.#mostRawMs = ms * Math.max(1, tensorBytes / Math.max(1, bytes));
    const [coded, raw] = [this.#costOf('coded'), this.#costOf('raw')];
    if (coded === null || raw === null) return;
    const before = this.#choice;
    this.#choice = coded < CLEARLY_LESS * raw ? 'coded' : 'raw';
    if (this.#choice !== before) this.#setPause();
  }

  #setPause(): void {
    const [coded, raw] = [this.#costOf('coded') ?? 1, this.#costOf('raw') ?? 1];
    const ratio = this.#choice === 'raw' ? coded / raw : raw / coded;
    this.#pause = Math.min(LONGEST_PAUSE, Math.ceil(AGAIN_AFTER * Math.max(1, ratio)));
  }

  /** The least of the last few: what disturbs one of them says nothing of the form. Null until there are enough. */
  #costOf(form: Form): number | null {
    const costs = this.#costs[form];
    return costs.length < TRIALS ? null : Math.min(...costs);
  }
}
