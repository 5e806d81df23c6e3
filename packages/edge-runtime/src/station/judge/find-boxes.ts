// The outputs of a detector, in the layouts that exporters write -> boxes in pixels of its input, each with its class.
import type { Tensor, TensorMap } from '@kerf/protocol';
import { type BoxTable, boxColumn, boxTable, columnsOf, mismatch, numberAt, turned } from './box-table.ts';
import type { DetectorTask } from './detector-task.ts';
import { gridCells, onGrid } from './yolox-grid.ts';

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

export interface InputSize {
  readonly width: number;
  readonly height: number;
}

type Format = Exclude<DetectorTask['format'], 'auto'>;
type Coordinates = NonNullable<DetectorTask['coordinates']>;

/** What a layout makes of the outputs: tables with as many rows as there are boxes. */
interface Layout {
  /** Four columns. */
  readonly corners: BoxTable;
  readonly coordinates: Coordinates | 'yolox';
  /** That there is anything at all, by which class scores are multiplied. */
  readonly objectness: BoxTable | null;
  /** A column a class, or one where labels say which. */
  readonly scores: BoxTable;
  readonly labels: BoxTable | null;
  readonly areChosen: boolean;
}

interface Named {
  readonly name: string;
  readonly tensor: Tensor;
}

const BOX_NAMES = ['boxes', 'pred_boxes', 'detection_boxes', 'dets', 'output0', 'output'];
const SCORE_NAMES = ['scores', 'detection_scores', 'pred_logits', 'logits'];
const LABEL_NAMES = ['labels', 'detection_classes', 'classes'];
/** TensorFlow's detectors and DETR name them so, and write them so. */
const CUSTOMS: Readonly<Record<string, Coordinates>> = { detection_boxes: 'yxyx', pred_boxes: 'cxcywh' };
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

function layoutOf(outputs: TensorMap, task: DetectorTask, input: InputSize): Layout {
  const boxes = outputNamed(outputs, task.output, BOX_NAMES) ?? onlyOutput(outputs);
  const scores = outputNamed(outputs, task.scores, SCORE_NAMES);
  const named = outputNamed(outputs, task.labels, LABEL_NAMES);
  const labels = named?.name === scores?.name ? null : named;
  const table = boxTable(boxes.name, boxes.tensor);
  const format = task.format === 'auto' ? formatOf(table, { scores, labels }, task, input) : task.format;
  const layout = LAYOUTS[format](table, { scores, labels }, task, input);
  if (layout === null) throw mismatch(`${asSeen(table)}; as ${format} ${WANTED[format](task, input)}`);
  return layout.coordinates === 'yolox' ? layout : { ...layout, coordinates: task.coordinates ?? layout.coordinates };
}

interface Others {
  readonly scores: Named | null;
  readonly labels: Named | null;
}

type ReadLayout = (table: BoxTable, others: Others, task: DetectorTask, input: InputSize) => Layout | null;

/** Null where the outputs are not of the layout. */
const LAYOUTS: Readonly<Record<Format, ReadLayout>> = {
  yolox(table, _, { classes }, input) {
    if (table.rows !== gridCells(input) || table.columns !== 5 + classes.length) return null;
    return { ...withObjectness(table), coordinates: 'yolox' };
  },
  yolov5(table, _, { classes }) {
    return table.columns === 5 + classes.length ? withObjectness(table) : null;
  },
  yolov8(table, _, { classes }) {
    if (table.rows !== 4 + classes.length) return null;
    const rows = turned(table);
    const scores = columnsOf(rows, 4, classes.length);
    return { ...NOTHING_BESIDE, corners: columnsOf(rows, 0, 4), coordinates: 'cxcywh', scores };
  },
  'end-to-end'(table, { labels }) {
    const chosen = { ...NOTHING_BESIDE, coordinates: 'xyxy', areChosen: true } as const;
    if (table.columns === 5 && labels !== null) {
      const said = boxColumn(labels.name, labels.tensor, table.rows);
      return { ...chosen, corners: columnsOf(table, 0, 4), scores: columnsOf(table, 4, 1), labels: said };
    }
    if (table.columns === 6) {
      return {
        ...chosen,
        corners: columnsOf(table, 0, 4),
        scores: columnsOf(table, 4, 1),
        labels: columnsOf(table, 5, 1),
      };
    }
    if (table.columns !== 7) return null;
    // The first column is the picture's place in the batch.
    return {
      ...chosen,
      corners: columnsOf(table, 1, 4),
      scores: columnsOf(table, 6, 1),
      labels: columnsOf(table, 5, 1),
    };
  },
  'boxes-and-scores'(table, { scores, labels }) {
    if (table.columns !== 4 || scores === null) return null;
    const beside = { ...NOTHING_BESIDE, corners: table, coordinates: CUSTOMS[table.name] ?? 'xyxy' } as const;
    if (labels === null) {
      const read = boxTable(scores.name, scores.tensor);
      return { ...beside, scores: read.rows === table.rows ? read : boxColumn(scores.name, scores.tensor, table.rows) };
    }
    const said = boxColumn(labels.name, labels.tensor, table.rows);
    return { ...beside, scores: boxColumn(scores.name, scores.tensor, table.rows), labels: said, areChosen: true };
  },
};

const NOTHING_BESIDE = { objectness: null, labels: null, areChosen: false } as const;

/** Centre and size, objectness, classes. */
function withObjectness(table: BoxTable): Layout {
  return {
    ...NOTHING_BESIDE,
    corners: columnsOf(table, 0, 4),
    coordinates: 'cxcywh',
    objectness: columnsOf(table, 4, 1),
    scores: columnsOf(table, 5, table.columns - 5),
  };
}

const WANTED: Readonly<Record<Format, (task: DetectorTask, input: InputSize) => string>> = {
  yolox: ({ classes }, input) =>
    `${classes.length} classes at ${input.width}x${input.height} are [1, ${gridCells(input)}, ${5 + classes.length}]`,
  yolov5: ({ classes }) => `${classes.length} classes are [1, boxes, ${5 + classes.length}]`,
  yolov8: ({ classes }) => `${classes.length} classes are [1, ${4 + classes.length}, boxes]`,
  'end-to-end': () => 'it is [1, boxes, 6], [boxes, 7], or [1, boxes, 5] beside labels',
  'boxes-and-scores': () => 'it is [1, boxes, 4] beside an output with scores (task.scores names it)',
};

/** @throws {KerfError} TENSOR_MISMATCH where no layout fits. */
function formatOf(table: BoxTable, { scores, labels }: Others, task: DetectorTask, input: InputSize): Format {
  const { rows, columns } = table;
  const classes = task.classes.length;
  const cells = gridCells(input);
  if (columns === 4 && scores !== null) return 'boxes-and-scores';
  if (columns === 5 + classes && rows === cells) return 'yolox';
  // With one class or two both have as many columns; YOLOv5 has three boxes for each cell.
  const isEndToEnd = columns === 6 || columns === 7 || (columns === 5 && labels !== null);
  if (columns === 5 + classes && (!isEndToEnd || rows === 3 * cells)) return 'yolov5';
  if (rows === 4 + classes && columns > rows) return 'yolov8';
  if (isEndToEnd) return 'end-to-end';
  const known = Object.entries(WANTED).map(([format, wanted]) => `${format}: ${wanted(task, input)}`);
  throw mismatch(`${asSeen(table)}, which is none of the layouts that are known: ${known.join('; ')}`);
}

function asSeen({ name, rows, columns }: BoxTable): string {
  return `output '${name}' has ${rows} rows of ${columns}`;
}

function outputNamed(outputs: TensorMap, given: string | null, telling: readonly string[]): Named | null {
  const name = given ?? telling.find((candidate) => outputs.has(candidate));
  if (name === undefined) return null;
  const tensor = outputs.get(name);
  if (tensor === undefined)
    throw mismatch(`there is no output '${name}' (there are ${[...outputs.keys()].join(', ')})`);
  return { name, tensor };
}

function onlyOutput(outputs: TensorMap): Named {
  const [only, second] = outputs;
  if (only === undefined || second !== undefined) {
    throw mismatch(`which output has the boxes? There are ${[...outputs.keys()].join(', ')}; name it in task.output`);
  }
  return { name: only[0], tensor: only[1] };
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
