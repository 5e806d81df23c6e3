// Frames of many sessions -> the next frames to run: by priority, the earliest due first, sessions in turn, stacked where they fit.
import type { FrameTask } from './frame-task.ts';

export interface BatchPolicy {
  readonly maxRows: number;
  readonly maxDelayMs: number;
  /** A frame counts as due after this at the latest, however far its deadline is. */
  readonly patienceMs: number;
  /** Rows that may run together with this frame now; 1: it runs alone. Two frames are always within a limit above 1. */
  rowLimit(first: FrameTask): number;
  /** How long a run takes about now: a session's further frames count as due one run later each. */
  runMs(): number;
}

/** What to do now. `full`: more frames would not have fitted, or it cannot be stacked. */
export type NextRun =
  | { readonly kind: 'run'; readonly frames: readonly FrameTask[]; readonly full: boolean }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'empty' };

interface Waiting {
  readonly frame: FrameTask;
  readonly dueMs: number;
}

/** Of so many runs one is given to a frame of a lower level that has lost its patience: nobody starves. */
const RUNS_PER_STARVING = 4;

export class FairQueue {
  /** By level, the most urgent first; in each the earliest due first. */
  readonly #levels = new Map<number, Waiting[]>();
  readonly #waitingOf = new Map<object, number>();
  readonly #policy: BatchPolicy;
  #size = 0;
  /** Frames that were taken at once the last time: how much company to expect. */
  #expected = 1;
  #runs = 0;

  constructor(policy: BatchPolicy) {
    this.#policy = policy;
  }

  get size(): number {
    return this.#size;
  }

  push(frame: FrameTask): void {
    this.#insert({ frame, dueMs: this.#dueOf(frame) });
  }

  /** Puts a frame before all others of its level: it has waited once already. */
  pushFirst(frame: FrameTask): void {
    this.#insert({ frame, dueMs: Number.NEGATIVE_INFINITY });
  }

  /** Rows that would run before the frame if it came now. */
  rowsBefore(frame: FrameTask): number {
    const dueMs = this.#dueOf(frame);
    let rows = 0;
    for (const [level, list] of this.#levels) {
      if (level > frame.level) continue;
      for (const waiting of list) {
        if (level === frame.level && waiting.dueMs > dueMs) break;
        rows += waiting.frame.rows;
      }
    }
    return rows;
  }

  /** @returns false when the frame does not wait here (any more). */
  remove(frame: FrameTask): boolean {
    const list = this.#levels.get(frame.level);
    const index = list?.findIndex((waiting) => waiting.frame === frame) ?? -1;
    if (list === undefined || index === -1) return false;
    list.splice(index, 1);
    if (list.length === 0) this.#levels.delete(frame.level);
    const left = (this.#waitingOf.get(frame.owner) ?? 1) - 1;
    if (left === 0) this.#waitingOf.delete(frame.owner);
    else this.#waitingOf.set(frame.owner, left);
    this.#size--;
    return true;
  }

  /** Everything, in no particular order; the queue is empty afterwards. */
  drain(): FrameTask[] {
    const all = [...this.#levels.values()].flat().map(({ frame }) => frame);
    this.#levels.clear();
    this.#waitingOf.clear();
    this.#size = 0;
    return all;
  }

  /**
   * Takes the next frames. With fewer frames than ran together the last time, and room for more, the first one waits up to
   * `maxDelayMs` since it came. `ahead`, for a worker that still runs others: nothing that could still grow, and nothing that
   * is to run by itself.
   */
  next(nowMs: number, ahead = false): NextRun {
    const picked = this.#pick(nowMs);
    const [first] = picked.frames;
    if (first === undefined) return { kind: 'empty' };
    const untilMs = first.receivedAtMs + this.#policy.maxDelayMs;
    const expectsMore = picked.frames.length < this.#expected && nowMs < untilMs;
    if (!picked.full && expectsMore) return { kind: 'wait', untilMs };
    if (ahead && (!picked.full || first.alone)) return { kind: 'wait', untilMs: Number.POSITIVE_INFINITY };
    for (const frame of picked.frames) this.remove(frame);
    if (!first.alone) this.#expected = picked.frames.length;
    this.#runs++;
    return { kind: 'run', ...picked };
  }

  #dueOf({ owner, receivedAtMs, deadlineAtMs }: FrameTask): number {
    const dueMs = Math.min(deadlineAtMs, receivedAtMs + this.#policy.patienceMs);
    return dueMs + (this.#waitingOf.get(owner) ?? 0) * this.#policy.runMs();
  }

  #insert(waiting: Waiting): void {
    const { owner, level } = waiting.frame;
    const list = this.#levels.get(level) ?? [];
    this.#levels.set(level, list);
    let [low, high] = [0, list.length];
    const isFirst = waiting.dueMs === Number.NEGATIVE_INFINITY;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = list[middle] as Waiting;
      if (isFirst || other.dueMs > waiting.dueMs) high = middle;
      else low = middle + 1;
    }
    list.splice(low, 0, waiting);
    this.#waitingOf.set(owner, (this.#waitingOf.get(owner) ?? 0) + 1);
    this.#size++;
  }

  /** The level whose turn it is, then the others in order. */
  #levelsInTurn(nowMs: number): Waiting[][] {
    const levels = [...this.#levels].sort(([a], [b]) => a - b).map(([, list]) => list);
    if (levels.length < 2 || this.#runs % RUNS_PER_STARVING !== RUNS_PER_STARVING - 1) return levels;
    const starving = levels.findIndex((list, at) => at > 0 && this.#isStarving(list, nowMs));
    if (starving < 0) return levels;
    return [levels[starving] as Waiting[], ...levels.filter((_list, at) => at !== starving)];
  }

  #isStarving(list: readonly Waiting[], nowMs: number): boolean {
    const frame = list[0]?.frame;
    return frame !== undefined && nowMs - frame.receivedAtMs > this.#policy.patienceMs;
  }

  #pick(nowMs: number): { frames: FrameTask[]; full: boolean } {
    const levels = this.#levelsInTurn(nowMs);
    const first = levels[0]?.[0]?.frame;
    if (first === undefined) return { frames: [], full: false };
    const { shapeClass, alone } = first;
    const limit = shapeClass === null || alone ? 1 : this.#policy.rowLimit(first);
    if (shapeClass === null || limit < 2) return { frames: [first], full: true };
    const maxRows = Math.min(this.#policy.maxRows, Math.max(limit, 2 * first.rows));
    const frames = [first];
    // Frames of one owner keep their order: one that does not fit holds back those behind it.
    const heldBack = new Set<object>();
    let rows = first.rows;
    for (const { frame } of levels.flat().slice(1)) {
      if (rows >= maxRows) break;
      if (heldBack.has(frame.owner)) continue;
      if (frame.shapeClass !== shapeClass || frame.alone) {
        heldBack.add(frame.owner);
        continue;
      }
      if (rows + frame.rows > maxRows) return { frames, full: true };
      frames.push(frame);
      rows += frame.rows;
    }
    return { frames, full: rows >= maxRows };
  }
}
