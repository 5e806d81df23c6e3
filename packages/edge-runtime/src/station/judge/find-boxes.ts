// The outputs of a detector -> boxes in pixels of its input, each with its class and how sure it is.
import type { TensorMap } from '@kerf/protocol';
import { type Coordinates, type InputSize, layoutOf } from './box-layouts.ts';
import { type BoxTable, mismatch, numberAt } from './box-table.ts';
import type { DetectorTask } from './detector-task.ts';
import { onGrid } from './yolox-grid.ts';

/** Corners in pixels of the model's input; they may lie outside of it. */
export interface FoundBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly classAt: number;
  readonly score: number;
}

export interface FoundBoxes {
  /** Those of at least `minScore`, in the model's order. */
  readonly boxes: readonly FoundBox[];
  /** A box that is no number must not be read as no box. */
  readonly hasNaN: boolean;
  /** The model has left out those that overlap a surer one. */
  readonly areChosen: boolean;
}

/** Further than this from 0 to 1 a score is none, and nothing that rounding makes. */
const SCORE_SLACK = 0.5;

/**
 * @throws {KerfError} TENSOR_MISMATCH for outputs that have another layout, or coordinates, units and scores that
 * contradict what the task says of them.
 */
export function findBoxes(outputs: TensorMap, task: DetectorTask, input: InputSize): FoundBoxes {
  const layout = layoutOf(outputs, task, input);
  const { corners, objectness, scores, labels } = layout;
  const boxes: FoundBox[] = [];
  let most = 0;
  for (let row = 0; row < corners.rows; row++) {
    const { classAt, score } = labels === null ? bestClass(scores, row, task) : labelled(scores, labels, row, task);
    const sure = objectness === null ? score : score * probability(numberAt(objectness, row, 0), task);
    if (!(sure >= task.minScore)) continue;
    most = Math.max(most, sure);
    const at = layout.coordinates === 'yolox' ? onGrid(corners, row, input) : placeOf(corners, row, layout.coordinates);
    boxes.push({ ...scaled(at, task, input), classAt: checkedClass(classAt, task, labels), score: Math.min(1, sure) });
  }
  if (most > 1 + SCORE_SLACK) {
    throw mismatch(`scores of '${scores.name}' reach ${most.toPrecision(3)}: they are logits; say values: logits`);
  }
  checkPlaces(boxes, task, corners.name, input);
  const tables = [corners, objectness, scores, labels];
  return { boxes, hasNaN: tables.some((table) => table !== null && hasNaN(table)), areChosen: layout.areChosen };
}

interface Best {
  readonly classAt: number;
  readonly score: number;
}

/** The surest class that is not the background. */
function bestClass(scores: BoxTable, row: number, task: DetectorTask): Best {
  const { classes, background } = task;
  const columns = classes.length + (background === 'none' ? 0 : 1);
  if (scores.columns !== columns) {
    const hint =
      scores.columns === classes.length + 1 ? '; if one is the background, say background: first, or last' : '';
    throw mismatch(
      `'${scores.name}' has scores of ${scores.columns} classes, the station file names ${columns}${hint}`,
    );
  }
  const from = background === 'first' ? 1 : 0;
  let best = from;
  for (let next = from + 1; next < from + classes.length; next++) {
    if (numberAt(scores, row, next) > numberAt(scores, row, best)) best = next;
  }
  const value = numberAt(scores, row, best);
  const isShared = task.values === 'logits' && background !== 'none';
  return { classAt: best - from, score: isShared ? softmaxAt(scores, row, value) : probability(value, task) };
}

function labelled(scores: BoxTable, labels: BoxTable, row: number, task: DetectorTask): Best {
  const classAt = numberAt(labels, row, 0) - (task.background === 'first' ? 1 : 0);
  return { classAt, score: probability(numberAt(scores, row, 0), task) };
}

/** Of a class among all columns, the background too. */
function softmaxAt(scores: BoxTable, row: number, value: number): number {
  let sum = 0;
  for (let column = 0; column < scores.columns; column++) sum += Math.exp(numberAt(scores, row, column) - value);
  return 1 / sum;
}

function probability(value: number, { values }: DetectorTask): number {
  return values === 'logits' ? 1 / (1 + Math.exp(-value)) : value;
}

function checkedClass(classAt: number, { classes, background }: DetectorTask, labels: BoxTable | null): number {
  if (classes[classAt] !== undefined) return classAt;
  const said = classAt + (background === 'first' ? 1 : 0);
  const counted = background === 'first' ? 'from 1' : 'from 0; where they are counted from 1, say background: first';
  throw mismatch(
    `'${labels?.name}' says class ${said}, and the station file names ${classes.length}, counted ${counted}`,
  );
}

type Corners = Pick<FoundBox, 'left' | 'top' | 'right' | 'bottom'>;

function placeOf(table: BoxTable, row: number, coordinates: Coordinates): Corners {
  const one = numberAt(table, row, 0);
  const two = numberAt(table, row, 1);
  const three = numberAt(table, row, 2);
  const four = numberAt(table, row, 3);
  switch (coordinates) {
    case 'xyxy':
      return { left: one, top: two, right: three, bottom: four };
    case 'yxyx':
      return { left: two, top: one, right: four, bottom: three };
    case 'xywh':
      return { left: one, top: two, right: one + three, bottom: two + four };
    case 'cxcywh':
      return { left: one - three / 2, top: two - four / 2, right: one + three / 2, bottom: two + four / 2 };
  }
}

function scaled({ left, top, right, bottom }: Corners, { unit }: DetectorTask, { width, height }: InputSize): Corners {
  const [across, down] = unit === 'share' ? [width, height] : [1, 1];
  return { left: left * across, top: top * down, right: right * across, bottom: bottom * down };
}

/** Boxes of a pixel at the origin, of many times the input, or that end before they begin, are read in the wrong way. */
function checkPlaces(boxes: readonly FoundBox[], { unit }: DetectorTask, name: string, input: InputSize): void {
  if (boxes.length === 0) return;
  if (boxes.some(({ left, top, right, bottom }) => right < left - 1 || bottom < top - 1)) {
    throw mismatch(`boxes of '${name}' end before they begin: say what their coordinates are, such as cxcywh or xywh`);
  }
  const reach = boxes.reduce(
    (most, { right, bottom }) => Math.max(most, right / input.width, bottom / input.height),
    0,
  );
  const side = Math.max(input.width, input.height);
  if (unit === 'pixels' && reach * side < 2 && side > 8) {
    throw mismatch(`all boxes of '${name}' end within two pixels of the corner: they are shares; say unit: share`);
  }
  if (unit === 'share' && reach > 8) {
    throw mismatch(
      `boxes of '${name}' reach to ${Math.round(reach)} times the input: they are pixels; say unit: pixels`,
    );
  }
}

function hasNaN(table: BoxTable): boolean {
  for (let row = 0; row < table.rows; row++) {
    for (let column = 0; column < table.columns; column++) if (Number.isNaN(numberAt(table, row, column))) return true;
  }
  return false;
}
