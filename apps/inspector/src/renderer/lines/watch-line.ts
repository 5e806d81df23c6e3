// A line's page -> what the page over all lines shows of it: its link, its figures and its newest part.
import { type BridgeState, openBridge, type StationView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import { type Connect, systemClock } from '@kerf/protocol';
import { calmly, Store } from '../shared/observable.ts';

export interface WatchedLine {
  /** Of its page. */
  readonly href: string;
  /** As it said last; until it has answered the machine that it runs on, null for this one. */
  readonly name: Store<string | null>;
  readonly link: Store<BridgeState>;
  readonly station: Store<StationView | null>;
  readonly newest: Store<ResultRecord | null>;
}

/** For the page's whole life. */
export function watchLine(href: string, machine: string | null, connect: Connect): WatchedLine {
  const bridge = openBridge({ connect, clock: systemClock, random: Math.random });
  const line: WatchedLine = {
    href,
    name: new Store<string | null>(machine),
    link: new Store<BridgeState>({ kind: 'connecting' }),
    station: new Store<StationView | null>(null, calmly),
    newest: new Store<ResultRecord | null>(null, calmly),
  };
  const { link, name, station, newest } = line;
  const refresh = (): readonly Promise<void>[] => [
    bridge.call('station.view', {}).then((view) => station.set(view)),
    bridge
      .call('results.list', { before: null, limit: 1, verdicts: null })
      .then(({ records }) => newest.set(records[0] ?? null)),
  ];
  bridge.onState((state) => {
    link.set(state);
    if (state.kind !== 'connected') return;
    name.set(state.hello.station);
    // A link that breaks again is opened again, and what one call lacks the station tells soon.
    void Promise.allSettled(refresh());
  });
  bridge.subscribe('station', (view) => station.set(view));
  bridge.subscribe('result', (record) => {
    // A final record takes the place of its provisional one only.
    if (record.revision === 0 || record.resultId === newest.get()?.resultId) newest.set(record);
  });
  return line;
}
