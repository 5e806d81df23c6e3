// The bridge's answers about the cut -> what the screen shows: state, graph, and the plan for the network that was asked about.
import type { CutGraph, CutPlan, CutRow, CutState, FaultView } from '@kerf/bridge';
import { useEffect, useState } from 'react';
import { useInspector, useStore } from '../shared/store.ts';
import { faultOf } from '../shared/use-action.ts';
import { useCall } from '../shared/use-call.ts';

/** What a slider stands at. */
export interface Question {
  readonly uplinkBitsPerSecond: number;
  readonly roundTripMs: number;
  readonly edgeSpeed: number;
  /** Most accuracy to lose by coding, in points; null for any. */
  readonly maxLoss: number | null;
}

/** The network as frames see it. */
export type Measured = Pick<Question, 'uplinkBitsPerSecond' | 'roundTripMs'>;

/** Where nothing was measured: an uplink and a round trip as mobile networks have them; half a point is what codecs are made for. */
export const USUAL: Question = { uplinkBitsPerSecond: 20e6, roundTripMs: 40, edgeSpeed: 1, maxLoss: 0.5 };

/** Sliders rest so long before the planner is asked. */
const REST_MS = 80;

export interface Told<T> {
  readonly value: T | null;
  readonly fault: FaultView | null;
  readonly set: (value: T) => void;
}

/** The topic, and the answer that opens it. */
export function useCutState(): Told<CutState> {
  const { bridge } = useInspector();
  const { value: first, fault, again } = useCall('cut.state', {});
  const [told, setTold] = useState<CutState | null>(null);
  useEffect(() => bridge.subscribe('cut', setTold), [bridge]);
  useEffect(() => {
    if (first !== null) setTold(first);
  }, [first]);
  useEffect(() => {
    // A model that could not be opened may be there later.
    if (fault === null) return;
    const timer = setTimeout(again, 5_000);
    return () => clearTimeout(timer);
  }, [fault, again]);
  return { value: told, fault: told === null ? fault : null, set: setTold };
}

/** Asked for again when the profile is another: nodes have their times from it. */
export function useGraph(version: number | null): {
  readonly value: CutGraph | null;
  readonly fault: FaultView | null;
} {
  const { value, fault, again } = useCall('cut.graph', {});
  useEffect(() => {
    if (version !== null && version > 0) again();
  }, [version, again]);
  return { value, fault };
}

export interface Planned {
  readonly plan: CutPlan | null;
  readonly fault: FaultView | null;
  /** Another question is on its way. */
  readonly isBusy: boolean;
}

/** The last question's answer; until it is there, that of the one before. */
export function usePlan(question: Question, state: CutState | null): Planned {
  const { bridge, link } = useInspector();
  const isConnected = useStore(link).kind === 'connected';
  const [planned, setPlanned] = useState<Planned>({ plan: null, fault: null, isBusy: true });
  const canPlan = isConnected && state !== null && state.missing === null;
  const key = JSON.stringify([question, state?.version ?? 0]);
  useEffect(() => {
    if (!canPlan) return;
    let isCurrent = true;
    setPlanned((before) => ({ ...before, isBusy: true }));
    const timer = setTimeout(() => {
      const [asked] = JSON.parse(key) as [Question];
      bridge.call('cut.plan', asked).then(
        (plan) => isCurrent && setPlanned({ plan, fault: null, isBusy: false }),
        (error: unknown) => isCurrent && setPlanned({ plan: null, fault: faultOf(error), isBusy: false }),
      );
    }, REST_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [bridge, canPlan, key]);
  return canPlan ? planned : { ...planned, isBusy: false };
}

/** The same for the same cut, whatever the plan. */
export function rowKey({ placement, crossing }: Pick<CutRow, 'placement' | 'crossing'>): string {
  return placement === 'split' ? JSON.stringify([...crossing].sort()) : placement;
}

/** Where frames run now, as a row of the plan; null where that is not known. */
export function currentRow(rows: readonly CutRow[], state: CutState): number | null {
  const now = state.routes.find(({ name }) => name === state.route);
  if (now === undefined || (now.placement === 'split' && now.crossing === null)) return null;
  const key = rowKey({ placement: now.placement, crossing: now.crossing ?? [] });
  const found = rows.findIndex((row) => rowKey(row) === key);
  return found < 0 ? null : found;
}

/** What was measured of a row on this station; null where no frame has run there. */
export function measuredOf(row: CutRow, state: CutState): CutState['routes'][number] | null {
  const key = rowKey(row);
  const found = state.routes.find(({ placement, crossing }) => rowKey({ placement, crossing: crossing ?? [] }) === key);
  return found === undefined || found.ms === null ? null : found;
}
