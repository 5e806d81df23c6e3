// The bridge's topics -> what screens read: one small store for each, outside React.
import type { BridgeState, InspectorBridge, LiveView, StationView, ThresholdsView, UpdatesView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import { createContext, useContext, useSyncExternalStore } from 'react';

/** Records kept for the strip of last parts. */
const RECENT = 24;

export class Store<T> {
  private value: T;
  private readonly listeners = new Set<() => void>();

  constructor(value: T) {
    this.value = value;
  }

  readonly get = (): T => this.value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  set(value: T): void {
    this.value = value;
    for (const listener of this.listeners) listener();
  }
}

export interface LiveMoment extends LiveView {
  /** By this page's clock, so that a station with a wrong clock does not look old. */
  readonly shownAt: number;
}

export interface Inspector {
  readonly bridge: InspectorBridge;
  readonly link: Store<BridgeState>;
  readonly station: Store<StationView | null>;
  readonly live: Store<LiveMoment | null>;
  readonly recent: Store<readonly ResultRecord[]>;
  readonly thresholds: Store<ThresholdsView | null>;
  /** Undefined until the station has said; null where its model is no device's release. */
  readonly updates: Store<UpdatesView | null | undefined>;
}

/** Subscribes for the page's whole life. */
export function inspectorOver(bridge: InspectorBridge): Inspector {
  const inspector: Inspector = {
    bridge,
    link: new Store<BridgeState>({ kind: 'connecting' }),
    station: new Store<StationView | null>(null),
    live: new Store<LiveMoment | null>(null),
    recent: new Store<readonly ResultRecord[]>([]),
    thresholds: new Store<ThresholdsView | null>(null),
    updates: new Store<UpdatesView | null | undefined>(undefined),
  };
  bridge.onState((state) => {
    inspector.link.set(state);
    if (state.kind === 'connected') void refresh(inspector);
  });
  bridge.subscribe('station', (view) => inspector.station.set(view));
  bridge.subscribe('live', (view) => inspector.live.set({ ...view, shownAt: performance.now() }));
  bridge.subscribe('result', (record) => inspector.recent.set(withRecord(inspector.recent.get(), record)));
  bridge.subscribe('thresholds', (view) => inspector.thresholds.set(view));
  bridge.subscribe('updates', (view) => inspector.updates.set(view));
  return inspector;
}

async function refresh({ bridge, station, recent, thresholds, updates }: Inspector): Promise<void> {
  try {
    const [view, page, current, releases] = await Promise.all([
      bridge.call('station.view', {}),
      bridge.call('results.list', { before: null, limit: RECENT, verdicts: null }),
      bridge.call('thresholds.view', {}),
      bridge.call('updates.view', {}),
    ]);
    station.set(view);
    recent.set(page.records);
    thresholds.set(current);
    updates.set(releases);
  } catch {
    // The link broke again: the next connection asks anew.
  }
}

/** Newest first; a final record takes the place of its provisional one. */
export function withRecord(records: readonly ResultRecord[], record: ResultRecord): readonly ResultRecord[] {
  const at = records.findIndex(({ resultId }) => resultId === record.resultId);
  if (at >= 0) return records.with(at, record);
  return [record, ...records].slice(0, RECENT);
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
