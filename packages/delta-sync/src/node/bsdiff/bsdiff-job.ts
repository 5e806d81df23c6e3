// What the process of bsdiff is told, and how it says what came of it.

export interface BsdiffJob {
  /** Removed by the process when nobody waits for it any more. */
  readonly folder: string;
  readonly old: string;
  readonly fresh: string;
  /** To be written. */
  readonly patch: string;
  readonly maxRssBytes: number;
}

/** Exit codes; native code that fails may end the process with others. */
export const EXIT = { made: 0, failed: 70, missing: 71, memory: 72 } as const;
export type ExitCode = number;
