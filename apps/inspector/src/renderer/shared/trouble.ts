// A station's link and state -> what stands between the user and a live picture: no station, a lost camera, a paused line.
import type { BridgeState, StationView } from '@kerf/bridge';
import type { Translate } from '../i18n/messages.tsx';

export interface Trouble {
  readonly kind: 'info' | 'alarm';
  readonly text: string;
  /** The station's own words; null where there are none. */
  readonly detail: string | null;
}

export function troubleOf(link: BridgeState, station: StationView | null, t: Translate): Trouble | null {
  const info = (text: string): Trouble => ({ kind: 'info', text, detail: null });
  if (link.kind === 'connecting') return info(t('link.connecting'));
  if (link.kind === 'away') {
    const isOther = link.code === 'UNAUTHENTICATED';
    const more = link.retryInMs !== null ? 'link.away.retry' : isOther ? 'link.away.address' : 'link.away.lasting';
    const detail = more === 'link.away.lasting' ? link.message : null;
    return { kind: 'alarm', text: `${t('link.away')} ${t(more)}`, detail };
  }
  if (station === null) return null;
  const { name: source, state, reason } = station.source;
  if (state === 'lost') {
    return { kind: 'alarm', text: t('line.sourceLost', { source }), detail: reason?.message ?? null };
  }
  if (station.state === 'paused') return info(t('line.paused'));
  return state === 'ended' ? info(t('line.sourceEnded', { source })) : null;
}
