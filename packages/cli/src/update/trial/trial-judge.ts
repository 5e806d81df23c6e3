// A station file with a release -> what that says of single pictures, in a process of its own.
import type { PartJudge, StationFile } from '@kerf/edge-runtime/node';
import { startTrial, type Trial } from './trial-process.ts';

const OPEN_MS = 300_000;
/** Less than a judge gives a part: an answer that late is none. */
const JUDGE_MS = 45_000;

export interface TrialJudgeOptions {
  readonly signal?: AbortSignal;
  readonly judgeMs?: number;
}

/** `judge` rejects too: WORKER_LOST when the release takes its process down or hangs in it; CANCELLED. */
export type TrialJudge = PartJudge;

/** @throws {KerfError} WORKER_LOST, CANCELLED; what opening a judge throws. */
export async function openTrialJudge(
  file: StationFile,
  { signal, judgeMs = JUDGE_MS }: TrialJudgeOptions = {},
): Promise<TrialJudge> {
  const trial: Trial = startTrial();
  const stop = signal === undefined ? {} : { signal };
  try {
    const release = await trial.ask({ kind: 'open', file }, { patienceMs: OPEN_MS, ...stop });
    return {
      release,
      judge: (picture) => trial.ask({ kind: 'judge', picture }, { patienceMs: judgeMs, ...stop }),
      close: () => trial.close(),
    };
  } catch (error) {
    await trial.close();
    throw error;
  }
}
