// The outputs of a detector, in the layouts that exporters write -> tables with a row for each box.
import type { Tensor, TensorMap } from '@kerf/protocol';
import { type BoxTable, boxColumn, boxTable, columnsOf, mismatch, turned } from './box-table.ts';
import type { DetectorTask } from './detector-task.ts';
import { gridCells } from './yolox-grid.ts';

export interface InputSize {
  readonly width: number;
  readonly height: number;
}

type Format = Exclude<DetectorTask['format'], 'auto'>;
export type Coordinates = NonNullable<DetectorTask['coordinates']>;

/** What a layout makes of the outputs: tables with as many rows as there are boxes. */
export interface Layout {
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

/** @throws {KerfError} TENSOR_MISMATCH for outputs that have another layout. */
export function layoutOf(outputs: TensorMap, task: DetectorTask, input: InputSize): Layout {
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
