// The bridge's topics -> what screens read: one small store for each, outside React.
import type { BridgeState, FaultView, InspectorBridge, StationView, ThresholdsView, UpdatesView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { LiveMoment, PageWorker } from '../pictures/page-worker.ts';
import { calmly, Store } from './observable.ts';
import { faultOf } from './use-action.ts';

/** Marks in the strip of last parts. */
const RECENT = 24;
/** Records kept for it: some come before their picture is on the screen. */
const KEPT = 2 * RECENT;

/** What the station is asked for when the link stands; from then on it tells by itself. */
export const TOLD = ['station', 'recent', 'thresholds', 'updates'] as const;
export type Told = (typeof TOLD)[number];

export interface Inspector {
  readonly bridge: InspectorBridge;
  readonly pictures: PageWorker;
  readonly link: Store<BridgeState>;
  readonly station: Store<StationView | null>;
  readonly live: Store<LiveMoment | null>;
  readonly recent: Store<readonly ResultRecord[]>;
  readonly thresholds: Store<ThresholdsView | null>;
  /** Undefined until the station has said; null where its model is no device's release. */
  readonly updates: Store<UpdatesView | null | undefined>;
  /** Why the station does not say a part of it; nothing of the other parts. */
  readonly untold: Store<Readonly<Partial<Record<Told, FaultView>>>>;
  /** Asks for a part once more. Resolves to whether it came; never rejects. */
  readonly ask: (part: Told) => Promise<boolean>;
}

/** Subscribes for the page's whole life. */
export function inspectorOver(pictures: PageWorker): Inspector {
  const { bridge, live } = pictures;
  const inspector: Inspector = {
    bridge,
    pictures,
    link: new Store<BridgeState>({ kind: 'connecting' }),
    station: new Store<StationView | null>(null, calmly),
    live,
    recent: new Store<readonly ResultRecord[]>([], calmly),
    thresholds: new Store<ThresholdsView | null>(null),
    updates: new Store<UpdatesView | null | undefined>(undefined),
    untold: new Store<Readonly<Partial<Record<Told, FaultView>>>>({}),
    ask: (part) => ask(inspector, part),
  };
  bridge.onState((state) => {
    inspector.link.set(state);
    if (state.kind === 'connected') for (const part of TOLD) void inspector.ask(part);
  });
  bridge.subscribe('station', (view) => inspector.station.set(view));
  bridge.subscribe('result', (record) => inspector.recent.set(withRecord(inspector.recent.get(), record)));
  bridge.subscribe('thresholds', (view) => inspector.thresholds.set(view));
  bridge.subscribe('updates', (view) => inspector.updates.set(view));
  return inspector;
}

async function ask(inspector: Inspector, part: Told): Promise<boolean> {
  const { untold } = inspector;
  try {
    await ASKING[part](inspector);
    const { [part]: _, ...others } = untold.get();
    untold.set(others);
    return true;
  } catch (error) {
    untold.set({ ...untold.get(), [part]: faultOf(error) });
    return false;
  }
}

const ASKING: Readonly<Record<Told, (inspector: Inspector) => Promise<void>>> = {
  station: async ({ bridge, station }) => station.set(await bridge.call('station.view', {})),
  recent: async ({ bridge, recent }) =>
    recent.set((await bridge.call('results.list', { before: null, limit: KEPT, verdicts: null })).records),
  thresholds: async ({ bridge, thresholds }) => thresholds.set(await bridge.call('thresholds.view', {})),
  updates: async ({ bridge, updates }) => updates.set(await bridge.call('updates.view', {})),
};

/** Newest first; a final record takes the place of its provisional one. */
export function withRecord(records: readonly ResultRecord[], record: ResultRecord): readonly ResultRecord[] {
  const at = records.findIndex(({ resultId }) => resultId === record.resultId);
  if (at >= 0) return records.with(at, record);
  return [record, ...records].slice(0, KEPT);
}

/**
 * The last parts, of which the one on the screen is the newest: picture, verdict and strip change together, and a final
 * record takes the place of its provisional one in all of them. None before the first.
 */
export function lastParts(records: readonly ResultRecord[], shown: ResultRecord | null): readonly ResultRecord[] {
  if (shown === null) return [];
  const at = records.findIndex(({ resultId }) => resultId === shown.resultId);
  return at < 0 ? [shown, ...records].slice(0, RECENT) : records.slice(at, at + RECENT);
}

const Context = createContext<Inspector | null>(null);
export const InspectorProvider = Context.Provider;

export function useInspector(): Inspector {
  const inspector = useContext(Context);
  if (inspector === null) throw new Error('a screen outside of the app');
  return inspector;
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
