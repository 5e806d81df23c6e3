// JSON Schemas of rollouts: what is asked for, and what is shown.
import type { Schema } from '../http/schema.ts';
import {
  count,
  deviceId,
  digest,
  flag,
  labels,
  listOf,
  MAX_WHOLE,
  modelName,
  object,
  orNull,
  share,
  tag,
  text,
  timeMs,
} from '../http/shapes.ts';
import { ROLLOUT_STATUSES } from '../rollout/machine.ts';
import { MAX_LISTED_DEVICES, MAX_STAGES } from '../rollout/spec.ts';

export const DEVICE_STATES = ['offered', 'succeeded', 'failed', 'going-back', 'went-back'];

const DAY_MS = 24 * 3600_000;
const durationMs: Schema = { type: 'integer', minimum: 0, maximum: 366 * DAY_MS };
const positive: Schema = { type: 'integer', minimum: 1, maximum: MAX_WHOLE };

const members: Schema = {
  oneOf: [
    object({ kind: { const: 'devices' }, devices: { ...listOf(deviceId, MAX_LISTED_DEVICES), minItems: 1 } }),
    object({ kind: { const: 'groups' }, groups: { ...listOf(tag, 64), minItems: 1 } }),
    object({ kind: { const: 'share' }, share: { ...share, exclusiveMinimum: 0 } }),
    object({ kind: { const: 'rest' } }),
  ],
};

const stage = { members, successShare: share, soakMs: durationMs, pauseAfter: flag };
const target = { groups: listOf(tag, 64), labels };
const errors = { count: orNull(count), share: orNull(share), minimumEnded: positive };
const window: Schema = {
  ...object({
    timeZone: text(64, 'IANA name'),
    days: listOf({ type: 'integer', minimum: 1, maximum: 7 }, 7, '1 is Monday'),
    fromMinute: { type: 'integer', minimum: 0, maximum: 1439 },
    toMinute: { type: 'integer', minimum: 0, maximum: 1440 },
  }),
  type: ['object', 'null'],
};

const settings = {
  needsApproval: flag,
  startAt: orNull(timeMs),
  window,
  maxInFlight: positive,
  reportTimeoutMs: { ...durationMs, minimum: 1000 },
  onStop: { enum: ['hold', 'roll-back'] },
  lateDevices: { enum: ['join', 'skip'] },
} as const;

export const rolloutRequest: Schema = object(
  {
    release: digest,
    stages: listOf(object(stage, ['successShare', 'soakMs', 'pauseAfter']), MAX_STAGES),
    target: object(target, Object.keys(target)),
    errors: object(errors, Object.keys(errors)),
    ...settings,
  },
  ['target', 'errors', ...Object.keys(settings)],
);

/** As its kind needs it; see RolloutCause. */
const cause: Schema = object(
  {
    kind: { enum: ['after-stage', 'failed-count', 'failed-share'] },
    stage: positive,
    failed: count,
    allowed: count,
    ended: count,
    allowedShare: share,
  },
  ['stage', 'failed', 'allowed', 'ended', 'allowedShare'],
);

const stageCount = object({ offered: count, succeeded: count, failed: count });

export const rolloutShape: Schema = object({
  id: text(64),
  name: modelName,
  release: digest,
  number: positive,
  spec: object({
    target: object(target),
    stages: listOf(object(stage), MAX_STAGES),
    errors: object(errors),
    ...settings,
  }),
  state: object(
    {
      status: { enum: ROLLOUT_STATUSES },
      stage: count,
      stages: listOf(stageCount, MAX_STAGES),
      reachedAt: orNull(timeMs),
      held: flag,
      approvedBy: orNull(text(255)),
      goingBack: count,
      reason: orNull(text(2048)),
      cause,
    },
    ['cause'],
  ),
  createdBy: text(255),
  createdAt: timeMs,
  changedAt: timeMs,
  totals: listOf(count, MAX_STAGES, 'devices of each stage'),
});
