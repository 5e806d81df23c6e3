// The outputs of a detector -> a finding whose score is that of the surest box of a class to reject.
import { DETECTOR_TASK, type DetectorTask } from './detector-task.ts';
import { findBoxes } from './find-boxes.ts';
import type { FindingReader } from './judgement.ts';
import { placeBoxes } from './place-boxes.ts';

const OVERLAP = 0.45;
/** Boxes that a record lists. */
const MOST_LISTED = 64;

export function detectorReader(given: DetectorTask): FindingReader {
  // A session that an earlier version recorded has fewer keys.
  const task = { ...DETECTOR_TASK.read({ classes: given.classes, reject: given.reject }, 'task'), ...given };
  const rejected = new Set(task.reject);
  return (outputs, geometry) => {
    const { boxes, hasNaN, areChosen } = findBoxes(outputs, task, geometry.input);
    const found = placeBoxes(boxes, task.classes, task.overlap ?? (areChosen ? null : OVERLAP), geometry);
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
