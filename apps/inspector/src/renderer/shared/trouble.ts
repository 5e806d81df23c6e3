// A station's link and state -> what stands between the user and a live picture: no station, a lost camera, a paused
// line, results that do not leave, a cloud that is away.
import type { BridgeState, DeliveryView, StationView } from '@kerf/bridge';
import type { ErrorCode } from '@kerf/protocol';
import type { Language, Texts, Translate } from '../i18n/messages.tsx';
import { causeText } from './cause-text.tsx';
import { sayFault } from './say-fault.ts';

export interface Trouble {
  readonly kind: 'info' | 'alarm';
  readonly text: string;
  /** The station's own words; null where there are none. */
  readonly detail: string | null;
}

/** The worst first. */
export function troublesOf(link: BridgeState, station: StationView | null, { t, language }: Texts): readonly Trouble[] {
  if (link.kind === 'connecting') return [info(t('link.connecting'))];
  if (link.kind === 'away') {
    const isOther = link.code === 'UNAUTHENTICATED';
    const more = link.retryInMs !== null ? 'link.away.retry' : isOther ? 'link.away.address' : 'link.away.lasting';
    const detail = more === 'link.away.lasting' ? link.message : null;
    // Anything but a link that broke has something that somebody can do.
    const why = link.code === 'LINK_LOST' || more !== 'link.away.retry' ? [] : [sayFault(link.code, t)];
    return [{ kind: 'alarm', text: [t('link.away'), ...why, t(more)].join(' '), detail }];
  }
  return station === null
    ? []
    : [
        ...troublesOfSource(station, t, language),
        ...troublesOfDelivery(station.delivery, t),
        ...troublesOfCloud(station, t),
      ];
}

function troublesOfSource(
  { state, source: { name: source, state: kind, reason } }: StationView,
  t: Translate,
  language: Language,
): Trouble[] {
  if (kind === 'lost') return [lostSource(t('line.sourceLost', { source }), reason, t, language)];
  if (state === 'paused') return [info(t('line.paused'))];
  return kind === 'ended' ? [info(t('line.sourceEnded', { source }))] : [];
}

/** The station may know why; else the code says what to do. */
function lostSource(text: string, reason: StationView['source']['reason'], t: Translate, language: Language): Trouble {
  const known = causeText(reason?.cause, t, language);
  if (known !== null) return { kind: 'alarm', text: `${text} ${known}`, detail: null };
  return alarm(text, reason?.code ?? null, t, reason?.message);
}

function troublesOfDelivery({ disk, isHeld, blocked, waiting }: DeliveryView, t: Translate): Trouble[] {
  const code = disk === 'ok' ? null : disk === 'full' ? 'DISK_FULL' : 'DISK_FAILED';
  const kept = isHeld || code !== null ? [alarm(t(isHeld ? 'line.held' : 'line.notKept'), code, t)] : [];
  return [...kept, ...blocked.map(({ sink, code: why }) => alarm(t('line.notDelivered', { sink, waiting }), why, t))];
}

function troublesOfCloud({ link: { state, code } }: StationView, t: Translate): Trouble[] {
  return state === 'away' && code !== null ? [alarm(t('line.cloudAway'), code, t)] : [];
}

function info(text: string): Trouble {
  return { kind: 'info', text, detail: null };
}

/** @param code says what to do */
function alarm(text: string, code: ErrorCode | null, t: Translate, detail: string | null = null): Trouble {
  return { kind: 'alarm', text: code === null ? text : `${text} ${sayFault(code, t)}`, detail };
}
