// How many samples are done -> now and then a line on standard error.
import { progressTo } from '../profile/progress.ts';

/** Time between two lines. */
const QUIET_MS = 3000;

/** @returns called before each sample. The first line comes late enough that short work is silent. */
export function sampleProgress(isWanted: boolean): (done: number, all: number, what?: string) => void {
  const tell = progressTo(isWanted);
  let lastMs = performance.now();
  return (done, all, what = 'samples') => {
    if (performance.now() - lastMs < QUIET_MS) return;
    lastMs = performance.now();
    tell(`${done} of ${all} ${what}`);
  };
}
