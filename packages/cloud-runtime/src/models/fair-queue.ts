// Frames of many sessions -> the next frames to run: sessions in turn, stacked where they fit, waiting only when it pays.
import type { FrameTask } from './frame-task.ts';

export interface BatchPolicy {
  readonly maxRows: number;
  readonly maxDelayMs: number;
  /** Rows that may run together with this frame now; 1: it runs alone. Two frames are always within a limit above 1. */
  rowLimit(first: FrameTask): number;
}

/** What to do now. `full`: more frames would not have fitted, or it cannot be stacked. */
export type NextRun =
  | { readonly kind: 'run'; readonly frames: readonly FrameTask[]; readonly full: boolean }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'empty' };

export class FairQueue {
  /** Owners in the order of their turns; a Map keeps insertion order. */
  readonly #owners = new Map<object, FrameTask[]>();
  readonly #policy: BatchPolicy;
  #size = 0;
  /** Frames that were taken at once the last time: how much company to expect. */
  #expected = 1;

  constructor(policy: BatchPolicy) {
    this.#policy = policy;
  }

  get size(): number {
    return this.#size;
  }

  push(frame: FrameTask): void {
    const frames = this.#owners.get(frame.owner);
    if (frames === undefined) this.#owners.set(frame.owner, [frame]);
    else frames.push(frame);
    this.#size++;
  }

  /** Puts a frame before its owner's others: it has waited once already. */
  pushFirst(frame: FrameTask): void {
    const frames = this.#owners.get(frame.owner);
    if (frames === undefined) this.#owners.set(frame.owner, [frame]);
    else frames.unshift(frame);
    this.#size++;
  }

  /** @returns false when the frame does not wait here (any more). */
  remove(frame: FrameTask): boolean {
    const frames = this.#owners.get(frame.owner);
    const index = frames?.indexOf(frame) ?? -1;
    if (frames === undefined || index === -1) return false;
    frames.splice(index, 1);
    if (frames.length === 0) this.#owners.delete(frame.owner);
    this.#size--;
    return true;
  }

  /** Everything, in no particular order; the queue is empty afterwards. */
  drain(): FrameTask[] {
    const all = [...this.#owners.values()].flat();
    this.#owners.clear();
    this.#size = 0;
    return all;
  }

  /**
   * Takes the next frames. With fewer frames than ran together the last time, and room for more, the first one waits up to
   * `maxDelayMs` since it came. `onlyFull` takes nothing that could still grow.
   */
  next(nowMs: number, onlyFull = false): NextRun {
    const picked = this.#pick();
    const [first] = picked.frames;
    if (first === undefined) return { kind: 'empty' };
    const untilMs = first.receivedAtMs + this.#policy.maxDelayMs;
    const expectsMore = picked.frames.length < this.#expected && nowMs < untilMs;
    if (!picked.full && expectsMore) return { kind: 'wait', untilMs };
    if (!picked.full && onlyFull) return { kind: 'wait', untilMs: Number.POSITIVE_INFINITY };
    for (const frame of picked.frames) this.#takeOut(frame);
    if (!first.alone) this.#expected = picked.frames.length;
    return { kind: 'run', ...picked };
  }

  #pick(): { frames: FrameTask[]; full: boolean } {
    const lists = [...this.#owners.values()];
    const first = lists[0]?.[0];
    if (first === undefined) return { frames: [], full: false };
    const { shapeClass, alone } = first;
    const limit = shapeClass === null || alone ? 1 : this.#policy.rowLimit(first);
    if (shapeClass === null || limit < 2) return { frames: [first], full: true };
    const maxRows = Math.min(this.#policy.maxRows, Math.max(limit, 2 * first.rows));
    const frames = [first];
    let rows = first.rows;
    // One frame of each owner a round: a session with a long queue does not crowd out the others.
    for (let round = 0, found = true; found && rows < maxRows; round++) {
      found = false;
      for (const [turn, list] of lists.entries()) {
        const frame = list[round];
        if (frame === undefined || (turn === 0 && round === 0)) {
          found ||= frame !== undefined;
          continue;
        }
        if (!this.#fits(list, round, shapeClass)) continue;
        if (rows + frame.rows > maxRows) return { frames, full: true };
        frames.push(frame);
        rows += frame.rows;
        found = true;
      }
    }
    return { frames, full: rows >= maxRows };
  }

  /** Frames of one owner keep their order: one that does not fit holds back those behind it. */
  #fits(list: readonly FrameTask[], round: number, shapeClass: string): boolean {
    return list.slice(0, round + 1).every((frame) => frame.shapeClass === shapeClass && !frame.alone);
  }

  /** An owner that had its turn goes to the end. */
  #takeOut(frame: FrameTask): void {
    const rest = this.#owners.get(frame.owner);
    if (!this.remove(frame) || rest === undefined || rest.length === 0) return;
    this.#owners.delete(frame.owner);
    this.#owners.set(frame.owner, rest);
  }
}
