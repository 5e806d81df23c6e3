// Task and thresholds of a station file, or those that the models note -> judges.
import type { Thresholds } from '@kerf/splitter';
import { problem } from '../../config/shape.ts';
import type { Judges } from '../../station/answer.ts';
import { makeJudge } from '../../station/judge/judge.ts';
import type { StationConfig } from '../../station/station-file.ts';

/** @throws {KerfError} CONFIG_INVALID where no thresholds are known, or they contradict themselves. */
export async function judgesOf(
  config: StationConfig,
  noted: Thresholds | null,
  smallNoted: Thresholds | null,
): Promise<Judges> {
  const main = await makeJudge(config.task, known(config.thresholds ?? noted, 'thresholds'));
  if (config.fallback === null) return { main, small: null };
  const { task, thresholds } = config.fallback;
  const own = known(thresholds ?? smallNoted, 'fallback.thresholds');
  return { main, small: await makeJudge(task ?? config.task, own, 'fallback') };
}

function known(thresholds: Thresholds | null, path: string): Thresholds {
  if (thresholds === null) throw problem(path, 'are needed: the model notes none (passBelow and ngAbove)');
  return thresholds;
}
