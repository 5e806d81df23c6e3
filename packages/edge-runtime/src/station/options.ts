// Every bound of a station in one place, and what a station file may say of them.
import { maybe, object, type ValueOf, withDefault } from '../config/shape.ts';
import { choice, number } from '../config/values.ts';

const policy = choice(['never-drop', 'latest-wins']);
const queue = number({ least: 0, most: 1024, whole: true });
const workers = number({ least: 1, most: 64, whole: true });

function stage(about: string, waiting: number, working: number) {
  const shape = object({
    queue: withDefault(queue, waiting, 'frames that may wait before it'),
    workers: withDefault(workers, working, 'frames that may be in it at a time'),
    policy: withDefault(
      policy,
      'never-drop',
      'when the queue is full: hold back who brings frames, or drop the oldest',
    ),
  });
  return withDefault(shape, shape.read({}, ''), about);
}

const CAPTURE = object({
  queue: withDefault(queue, 1, 'captures that may wait at the door'),
  policy: withDefault(policy, 'never-drop', 'when the door is full: hold back the source, or drop the oldest capture'),
});

const INFER = object({
  queue: withDefault(queue, 0, 'frames that may wait before it'),
  workers: maybe(
    workers,
    'frames under way at a time (default: up to 8 with a cloud, as many as hide its round trip; 1 without)',
  ),
  policy: withDefault(policy, 'never-drop', 'when the queue is full: hold back who brings frames, or drop the oldest'),
});

const SINK = object({
  queue: withDefault(queue, 64, 'records that may wait for the store; none is ever dropped here'),
});

/**
 * The `stages` group. `infer` is head, encode, send, wait and decode: the session has its own bounds for them. Queues are
 * short: what waits has less of its deadline left, and stages work side by side without them.
 */
export const STAGES = object({
  capture: withDefault(CAPTURE, CAPTURE.read({}, ''), 'the door'),
  preprocess: stage('decode, check and resize the picture', 0, 1),
  infer: withDefault(INFER, INFER.read({}, ''), 'head, encode, send, wait and decode'),
  postprocess: stage('read the outputs and judge', 8, 1),
  sink: withDefault(SINK, SINK.read({}, ''), 'hand records to the store'),
});

export type StageSettings = ValueOf<typeof STAGES>;

/** Frames under way at most where the file does not say: what hides a round trip, or one where all of it runs here. */
export const WORKERS_WITH_CLOUD = 8;
export const WORKERS_ALONE = 1;

/** Between two looks whether a provisional frame can be judged again. */
export const RECONCILE_INTERVAL_MS = 1_000;
/** The same while the line wants the model: what it leaves free is soon over. */
export const RECONCILE_ROOM_MS = 100;
/** A run of the small model takes its typical time one and a half times, and this. */
export const SMALL_MARGIN_MS = 10;
/** Of a frame's deadline, kept for the small model until its time is known. */
export const UNMEASURED_SMALL_SHARE = 0.25;
/** Of a frame's deadline, kept for it at most. */
export const LARGEST_SMALL_SHARE = 0.5;
/** Of a frame that is judged again: nobody waits for it. */
export const RECONCILE_DEADLINE_MS = 30_000;
/** Where the doubling of the interval stops while attempts fail. */
export const RECONCILE_MAX_INTERVAL_MS = 30_000;
