// A station's task -> the labels that a person may give, and which of them mean a good part.
import { problem } from '../config/shape.ts';
import type { Task } from '../station/judge/judge.ts';
import type { SamplesConfig } from './sample-config.ts';

export interface SampleLabel {
  readonly name: string;
  readonly isGood: boolean;
}

const GOOD = 'good';

/** @throws {KerfError} CONFIG_INVALID for labels that repeat, or none of which means good. */
export function sampleLabels(config: Pick<SamplesConfig, 'labels'>, task: Task): readonly SampleLabel[] {
  const labels = config.labels === null ? usual(task) : given(config.labels, task);
  const names = labels.map(({ name }) => name);
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at);
  if (twice >= 0) throw problem('samples.labels', `name '${names[twice]}' twice`);
  if (!labels.some(({ isGood }) => isGood) || labels.every(({ isGood }) => isGood)) {
    throw problem('samples.labels', "need 'good' (or an accepted class of the task) and at least one kind of defect");
  }
  return labels;
}

function usual(task: Task): SampleLabel[] {
  const defects = (names: readonly string[]): SampleLabel[] =>
    names.filter((name) => name !== GOOD).map((name) => ({ name, isGood: false }));
  switch (task.kind) {
    case 'anomaly':
      return [{ name: GOOD, isGood: true }, ...defects(['defect'])];
    case 'classifier':
      return given(task.classes, task);
    case 'detector':
    case 'segmentation':
      return [{ name: GOOD, isGood: true }, ...defects(task.reject)];
  }
}

/** Of a classifier's classes those are good that it does not reject; else only the name says so. */
function given(names: readonly string[], task: Task): SampleLabel[] {
  const accepted = task.kind === 'classifier' ? task.classes.filter((name) => !task.reject.includes(name)) : [GOOD];
  return names.map((name) => ({ name, isGood: name === GOOD || accepted.includes(name) }));
}
