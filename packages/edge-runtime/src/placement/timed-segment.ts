// A loaded segment -> the same segment, telling how long each of its runs took and what it made.
import type { Clock, LoadedModel, TensorMap } from '@kerf/protocol';

/** Runs under way, of all segments of a device: a run that waited for another says nothing of its own time. */
export interface RunCount {
  running: number;
}

/**
 * Calls `onRun` with what every run made, and the milliseconds of one that ran alone, else null. Disposing of it does not
 * dispose of the segment.
 */
export function timedSegment(
  model: LoadedModel,
  clock: Clock,
  count: RunCount,
  onRun: (outputs: TensorMap, ms: number | null) => void,
): LoadedModel {
  return {
    inputs: model.inputs,
    outputs: model.outputs,
    async run(inputs: TensorMap): Promise<TensorMap> {
      const isAlone = count.running === 0;
      count.running++;
      const startMs = clock.nowMs();
      try {
        const outputs = await model.run(inputs);
        onRun(outputs, isAlone ? clock.nowMs() - startMs : null);
        return outputs;
      } finally {
        count.running--;
      }
    },
    dispose: () => Promise.resolve(),
  };
}
