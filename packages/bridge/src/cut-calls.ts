// The calls of the Cut screen: roles, shapes of parameters, answers. A part of the one contract.
import * as v from 'valibot';
import type { CutGraph, CutHistory, CutPlan, CutState } from './cut-views.ts';
import type { Role } from './views.ts';

const nothing = v.strictObject({});
const within = (least: number, most: number) => v.pipe(v.number(), v.minValue(least), v.maxValue(most));
const route = v.nullable(v.pipe(v.string(), v.regex(/^(edge|cloud|cut-[1-9])$/)));

/** What may be asked about. */
export const CUT_RANGES = {
  /** 0.01 Mbit/s to 10 Gbit/s. */
  uplinkBitsPerSecond: [1e4, 1e10],
  roundTripMs: [0, 10_000],
  /** Times as fast as the profile says. */
  edgeSpeed: [0.01, 100],
  /** Points of the task's metric. */
  maxLoss: [0, 100],
} as const;

export const CUT_CALLS = {
  'cut.state': { role: 'viewer', params: nothing },
  'cut.graph': { role: 'viewer', params: nothing },
  'cut.plan': {
    role: 'viewer',
    params: v.strictObject({
      uplinkBitsPerSecond: within(...CUT_RANGES.uplinkBitsPerSecond),
      roundTripMs: within(...CUT_RANGES.roundTripMs),
      edgeSpeed: within(...CUT_RANGES.edgeSpeed),
      maxLoss: v.nullable(within(...CUT_RANGES.maxLoss)),
    }),
  },
  'cut.history': { role: 'viewer', params: nothing },
  /** A route for all frames, or null to let the station choose. `from` is what was pinned before: another is a conflict. */
  'cut.apply': { role: 'engineer', params: v.strictObject({ route, from: route }) },
  'cut.measure': { role: 'engineer', params: nothing },
  'cut.cancelMeasure': { role: 'engineer', params: nothing },
} as const satisfies Record<string, { role: Role; params: v.GenericSchema }>;

export interface CutCallResults {
  'cut.state': CutState;
  'cut.graph': CutGraph;
  'cut.plan': CutPlan;
  'cut.history': CutHistory;
  'cut.apply': CutState;
  'cut.measure': CutState;
  'cut.cancelMeasure': CutState;
}

export interface CutTopics {
  /** About once a second, and at each change. */
  cut: CutState;
}
