// Frames that run together -> which of them are stacked in which segment, from what has been proven of each.
import type { RunMode, StackPlan, TrialGroup, TrialResult } from '../worker/jobs.ts';
import type { BatchProofs } from './batch-proofs.ts';
import type { FrameTask } from './frame-task.ts';

export interface PlannedStacks {
  readonly mode: RunMode;
  readonly stacks: StackPlan;
  readonly trial: TrialGroup | null;
}

const ONE_BY_ONE: PlannedStacks = { mode: 'single', stacks: [], trial: null };

/** A group of frames in a segment and what is known of it. */
interface Group {
  readonly segment: number;
  readonly frames: readonly number[];
  readonly key: string;
  readonly rows: number;
}

/**
 * Every segment is proven for itself, so that frames of different cuts meet where they are known to go together. Rows of a
 * segment that are not proven yet are tried, one group a job, that of the last segment first: most cuts share it.
 */
export class StackPlanner {
  readonly #stackable: readonly boolean[];
  readonly #maxRows: number;
  readonly #proofs: BatchProofs;

  /** @param stackable by segment: whether all that enters and leaves it has an open first axis. */
  constructor(stackable: readonly boolean[], maxRows: number, proofs: BatchProofs) {
    this.#stackable = stackable;
    this.#maxRows = maxRows;
    this.#proofs = proofs;
  }

  /** Rows that may run together in the segment where most may; 1: frames run alone. */
  rowLimit({ shapeClass, entry }: FrameTask): number {
    if (shapeClass === null) return 1;
    const limits = this.#stackable.flatMap((stackable, segment) =>
      stackable && segment >= entry ? [this.#proofs.rowLimit(this.#key(segment, shapeClass))] : [],
    );
    return Math.max(1, ...limits);
  }

  plan(frames: readonly FrameTask[]): PlannedStacks {
    const shapeClass = frames[0]?.shapeClass ?? null;
    if (frames.length < 2 || shapeClass === null) return ONE_BY_ONE;
    const stacks: (readonly number[])[][] = this.#stackable.map(() => []);
    const used: Group[] = [];
    let trial: Group | null = null;
    for (let segment = this.#stackable.length - 1; segment >= 0; segment--) {
      for (const group of this.#groups(frames, segment, shapeClass)) {
        const standing = this.#proofs.standingOf(group.key, group.rows);
        if (standing === 'resting' || (standing === 'unknown' && trial !== null)) continue;
        if (standing !== 'proven') trial ??= group;
        stacks[segment]?.push(group.frames);
        used.push(group);
      }
    }
    if (used.length === 0) return ONE_BY_ONE;
    if (trial === null) for (const { key, rows } of used) this.#proofs.used(key, rows);
    return { mode: trial === null ? 'batch' : 'trial', stacks, trial };
  }

  /** Takes in a trial. @returns true when this one switched batching off somewhere. */
  record(frames: readonly FrameTask[], { trial, stacks }: PlannedStacks, result: TrialResult): boolean {
    const shapeClass = frames[0]?.shapeClass ?? null;
    if (trial === null || shapeClass === null) return false;
    const rows = rowsOf(trial.frames.map((index) => frames[index] as FrameTask));
    const refused = this.#proofs.record(this.#key(trial.segment, shapeClass), rows, result);
    if (result.agrees !== false) return refused;
    // Which of the groups is to blame is not known: none of them is trusted any more.
    for (const [segment, groups] of stacks.entries()) {
      if (groups.length > 0) this.#proofs.switchOff(this.#key(segment, shapeClass));
    }
    return refused;
  }

  /** Frames that have entered, in order, as many together as the segment allows. */
  #groups(frames: readonly FrameTask[], segment: number, shapeClass: string): Group[] {
    if (this.#stackable[segment] !== true) return [];
    const key = this.#key(segment, shapeClass);
    const known = this.#proofs.rowLimit(key);
    if (known < 2) return [];
    const groups: Group[] = [];
    let members: number[] = [];
    let rows = 0;
    const finish = (): void => {
      if (members.length > 1) groups.push({ segment, frames: members, key, rows });
      members = [];
      rows = 0;
    };
    for (const [index, frame] of frames.entries()) {
      if (frame.entry > segment) continue;
      // Two frames are always within the limit, whatever their rows.
      const limit = Math.min(this.#maxRows, members.length === 1 ? Math.max(known, 2 * rows) : known);
      if (members.length > 0 && rows + frame.rows > limit) finish();
      members.push(index);
      rows += frame.rows;
    }
    finish();
    return groups;
  }

  #key(segment: number, shapeClass: string): string {
    return this.#stackable.length === 1 ? shapeClass : `segment ${segment}/${shapeClass}`;
  }
}

function rowsOf(frames: readonly FrameTask[]): number {
  return frames.reduce((sum, frame) => sum + frame.rows, 0);
}
