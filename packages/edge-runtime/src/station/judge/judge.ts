// A task, two thresholds and a model's outputs -> PASS, REVIEW or NG. Nothing that went wrong is ever PASS.
import { KerfError, messageOf, type TensorMap } from '@kerf/protocol';
import { type Thresholds, verdictOf } from '@kerf/splitter';
import { kinds, needed, object, problem, type ValueOf } from '../../config/shape.ts';
import { number } from '../../config/values.ts';
import { sha256Hex } from '../sha256.ts';
import { ANOMALY_TASK, anomalyReader } from './anomaly.ts';
import { CLASSIFIER_TASK, checkClasses, classifierReader } from './classifier.ts';
import { detectorReader } from './detector.ts';
import { DETECTOR_TASK } from './detector-task.ts';
import { type Finding, type FindingReader, type Judgement, type PictureGeometry, withoutScore } from './judgement.ts';
import { partReason } from './part-reason.ts';
import { SEGMENTATION_TASK, segmentationReader } from './segmentation.ts';

/** The `task` group: what the model's outputs mean. */
export const TASK = kinds({
  anomaly: ANOMALY_TASK,
  classifier: CLASSIFIER_TASK,
  detector: DETECTOR_TASK,
  segmentation: SEGMENTATION_TASK,
});

/** The `thresholds` group. */
export const THRESHOLDS = object({
  passBelow: needed(number(), 'a part with a score below this is PASS'),
  ngAbove: needed(number(), 'a part with a score of this and above is NG; between the two it is REVIEW'),
});

export type Task = ValueOf<typeof TASK>;

export interface Judge {
  readonly task: Task;
  readonly thresholds: Thresholds;
  /** Hex SHA-256 of task and thresholds: the same judge has the same version on every machine. */
  readonly version: string;
  /** Never throws: what cannot be judged is `ERROR` or `REVIEW`. */
  judge(outputs: TensorMap, geometry: PictureGeometry): Judgement;
}

/**
 * @param thresholds null where they are not known yet
 * @throws {KerfError} CONFIG_INVALID where task and thresholds contradict themselves; `path` is that of the task's group.
 */
export function checkJudging(task: Task, thresholds: Thresholds | null, path = ''): void {
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  if (thresholds !== null && !(thresholds.passBelow <= thresholds.ngAbove)) {
    throw problem(
      at('thresholds'),
      `say PASS below ${thresholds.passBelow} and NG from ${thresholds.ngAbove} on, which overlap: swap them`,
    );
  }
  if (task.kind !== 'anomaly') checkClasses(task, at('task'));
}

/** @throws {KerfError} CONFIG_INVALID, as `checkJudging`. */
export async function makeJudge(task: Task, thresholds: Thresholds, path = ''): Promise<Judge> {
  checkJudging(task, thresholds, path);
  const read = readerOf(task);
  const version = await sha256Hex(new TextEncoder().encode(JSON.stringify([task, thresholds])));
  return {
    task,
    thresholds,
    version,
    judge(outputs, geometry) {
      try {
        return judgementOf(read(outputs, geometry), thresholds);
      } catch (error) {
        const { code, message } = KerfError.from(
          error,
          'INTERNAL',
          `the outputs cannot be judged: ${messageOf(error)}`,
        );
        return withoutScore('ERROR', { code, message });
      }
    },
  };
}

function readerOf(task: Task): FindingReader {
  switch (task.kind) {
    case 'anomaly':
      return anomalyReader(task);
    case 'classifier':
      return classifierReader(task);
    case 'detector':
      return detectorReader(task);
    case 'segmentation':
      return segmentationReader(task);
  }
}

function judgementOf({ score, scores, boxes, mask, doubt }: Finding, thresholds: Thresholds): Judgement {
  if (!Number.isFinite(score)) {
    return { ...withoutScore('REVIEW', partReason({ kind: 'no-score' })), boxes, mask };
  }
  const verdict = verdictOf(score, thresholds);
  const doubted = verdict === 'PASS' && doubt !== null;
  return { verdict: doubted ? 'REVIEW' : verdict, reason: doubted ? doubt : null, score, scores, boxes, mask };
}
