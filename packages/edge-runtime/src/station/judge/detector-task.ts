// What a station file says of a detector's outputs.
import { list, maybe, needed, object, type ValueOf, withDefault } from '../../config/shape.ts';
import { choice, number, text } from '../../config/values.ts';

const name = text({ mostCharacters: 64 });

/** `task` of kind `detector`. */
export const DETECTOR_TASK = object({
  classes: needed(list(name, { least: 1, most: 10_000 }), "names in the order of the model's classes"),
  reject: needed(
    list(name, { least: 1, most: 10_000 }),
    "classes of defects: the part's score is that of the surest box",
  ),
  format: withDefault(
    choice(['auto', 'yolox', 'yolov5', 'yolov8', 'end-to-end', 'boxes-and-scores']),
    'auto',
    'layout of the outputs; auto takes it from their shapes',
  ),
  output: maybe(text(), 'output with the boxes (default: one named boxes, dets, output0 or the like, or the only one)'),
  scores: maybe(text(), 'output with the scores, where it is another (default: one named scores or logits)'),
  labels: maybe(text(), "output with each box's class, where it is another (default: one named labels or classes)"),
  coordinates: maybe(
    choice(['xyxy', 'yxyx', 'xywh', 'cxcywh']),
    'of a box, but for yolox: two corners, or a corner or the centre (c) and the size (default: as the layout has them)',
  ),
  unit: withDefault(choice(['pixels', 'share']), 'pixels', "of coordinates: pixels of the model's input, or 0 to 1"),
  values: withDefault(
    choice(['probabilities', 'logits']),
    'probabilities',
    'what scores are; logits go through a sigmoid, or through softmax where there is a background',
  ),
  background: withDefault(
    choice(['none', 'first', 'last']),
    'none',
    'a class before or behind those named, which means nothing is there; with first, labels are counted from 1',
  ),
  minScore: withDefault(number({ least: 0.001, most: 1 }), 0.1, 'boxes below this are not there'),
  overlap: maybe(
    number({ least: 0, most: 1 }),
    'of two boxes of a class that share more of their area (intersection over union), the less sure one is not there (default 0.45, and none is left out where the model has done so: end-to-end, and labels)',
  ),
});

export type DetectorTask = ValueOf<typeof DETECTOR_TASK>;
