// Calls of the screens Updates and Health: what each takes, and who may make it.
import * as v from 'valibot';
import type { AuditView, BundleView, LinkView, SelfTestView } from './health-views.ts';
import { type FleetView, ROLLOUT_ACTIONS, type UpdatesView } from './updates-views.ts';
import type { Role } from './views.ts';

const nothing = v.strictObject({});
const version = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
const line = v.pipe(v.string(), v.maxLength(400));
/** A folder of the station's machine, such as a stick; null: its own mirrors. */
const from = v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(1_024)));

/** Long work is begun and goes on by itself; the topic `updates` tells how far it is. */
export const UPDATES_CALLS = {
  'updates.view': { role: 'viewer', params: nothing },
  'updates.look': { role: 'operator', params: v.strictObject({ from }) },
  /** Sticks and other drives of the station's machine that hold a repository. */
  'updates.drives': { role: 'engineer', params: nothing },
  'updates.fetch': { role: 'engineer', params: v.strictObject({ version, from, allowOlder: v.boolean() }) },
  /** Ends what is under way, and takes back what waits for the maintenance window. */
  'updates.cancel': { role: 'engineer', params: nothing },
  'updates.canary': { role: 'engineer', params: nothing },
  /** Switches to what is staged, at once or in the maintenance window. */
  'updates.apply': { role: 'engineer', params: v.strictObject({ version, note: line }) },
  'updates.confirm': { role: 'engineer', params: v.strictObject({ note: line }) },
  'updates.rollBack': { role: 'engineer', params: v.strictObject({ note: line }) },
  'updates.settings': {
    role: 'engineer',
    params: v.strictObject({
      automatic: v.boolean(),
      pinned: v.nullable(version),
      window: v.nullable(v.pipe(v.string(), v.maxLength(64))),
    }),
  },
  'fleet.view': { role: 'viewer', params: nothing },
  'fleet.steer': {
    role: 'engineer',
    params: v.strictObject({
      rollout: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
      action: v.picklist(ROLLOUT_ACTIONS),
      reason: line,
    }),
  },
  'health.link': { role: 'operator', params: nothing },
  'health.selfTest': { role: 'operator', params: nothing },
  /** Ends the tests of link and runtime that this caller has begun: they are answered with CANCELLED. */
  'health.cancel': { role: 'operator', params: nothing },
  'health.audit': {
    role: 'viewer',
    params: v.strictObject({ limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(500)) }),
  },
  'health.bundle': { role: 'engineer', params: nothing },
} as const satisfies Record<string, { role: Role; params: v.GenericSchema }>;

export interface UpdatesResults {
  /** Null: the station's model is no device's release. */
  'updates.view': UpdatesView | null;
  'updates.look': null;
  'updates.drives': readonly string[];
  'updates.fetch': null;
  'updates.cancel': null;
  'updates.canary': null;
  'updates.apply': null;
  'updates.confirm': null;
  'updates.rollBack': null;
  'updates.settings': UpdatesView;
  'fleet.view': FleetView;
  'fleet.steer': FleetView;
  'health.link': LinkView;
  'health.selfTest': SelfTestView;
  'health.cancel': null;
  'health.audit': AuditView;
  'health.bundle': BundleView;
}
