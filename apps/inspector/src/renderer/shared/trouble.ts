// A station's link and state -> what stands between the user and a live picture: no station, a lost camera, a paused
// line, a cloud that is away.
import type { BridgeState, StationView } from '@kerf/bridge';
import type { ErrorCode } from '@kerf/protocol';
import type { Translate } from '../i18n/messages.tsx';
import { sayFault } from './fault-text.tsx';

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
    const text = t('line.sourceLost', { source });
    return { kind: 'alarm', text: withFault(text, reason?.code ?? null, t), detail: reason?.message ?? null };
  }
  if (station.state === 'paused') return info(t('line.paused'));
  if (state === 'ended') return info(t('line.sourceEnded', { source }));
  const { link: cloud } = station;
  if (cloud.state !== 'away' || cloud.code === null) return null;
  return { kind: 'alarm', text: withFault(t('line.cloudAway'), cloud.code, t), detail: null };
}

function withFault(text: string, code: ErrorCode | null, t: Translate): string {
  return code === null ? text : `${text} ${sayFault(code, t)}`;
}
