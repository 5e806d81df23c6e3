// The outputs of a detector -> a finding whose score is that of the surest box of a class to reject.
import type { TensorMap } from '@kerf/protocol';
import type { ResultBox } from '../result-record.ts';
import { DETECTOR_TASK, type DetectorTask } from './detector-task.ts';
import { findBoxes } from './find-boxes.ts';
import type { FindingReader, PictureGeometry } from './judgement.ts';
import { placeBoxes } from './place-boxes.ts';

const OVERLAP = 0.45;
/** Boxes that a record lists. */
const MOST_LISTED = 64;

export function detectorReader(given: DetectorTask): FindingReader {
  const task = wholeTask(given);
  const rejected = new Set(task.reject);
  return (outputs, geometry) => {
    const { found, hasNaN } = placed(outputs, task, geometry);
    const scores = found.filter(({ label }) => rejected.has(label)).map(({ score }) => score);
    return {
      score: hasNaN ? Number.NaN : Math.max(0, ...scores),
      scores: {},
      boxes: found.slice(0, MOST_LISTED),
      mask: null,
      doubt: null,
    };
  };
}

/**
 * What the outputs of a detector say: all boxes of at least `minScore`, in pixels of its input of `width` by `height`, the surest first.
 * @throws {KerfError} TENSOR_MISMATCH for outputs of another layout than the task's.
 */
export function boxReader(given: DetectorTask, input: PictureGeometry['input']): (outputs: TensorMap) => ResultBox[] {
  const task = wholeTask(given);
  const area = { x: 0, y: 0, ...input };
  const geometry = { taken: input, shown: area, input, area };
  return (outputs) => placed(outputs, task, geometry).found;
}

/** A session that an earlier version recorded has fewer keys. */
function wholeTask(given: DetectorTask): DetectorTask {
  return { ...DETECTOR_TASK.read({ classes: given.classes, reject: given.reject }, 'task'), ...given };
}

function placed(
  outputs: TensorMap,
  task: DetectorTask,
  geometry: PictureGeometry,
): { readonly found: ResultBox[]; readonly hasNaN: boolean } {
  const { boxes, hasNaN, areChosen } = findBoxes(outputs, task, geometry.input);
  const overlap = task.overlap ?? (areChosen ? null : OVERLAP);
  return { found: placeBoxes(boxes, task.classes, overlap, geometry), hasNaN };
}
