// A station's link and state -> what stands between the user and a live picture: no station, a lost camera, a paused
// line, results that do not leave, a cloud that is away.
import type { BridgeState, CauseView, DeliveryView, StationView } from '@kerf/bridge';
import type { ErrorCode } from '@kerf/protocol';
import type { Texts } from '../i18n/messages.tsx';
import { causeText, wordsOf } from './cause-text.tsx';
import { sentences } from './format.ts';
import { sayFault } from './say-fault.ts';

export interface Trouble {
  readonly kind: 'info' | 'alarm';
  readonly text: string;
  /** The station's own words; null where there are none. */
  readonly detail: string | null;
}

/** The worst first. */
export function troublesOf(link: BridgeState, station: StationView | null, texts: Texts): readonly Trouble[] {
  const { t, language } = texts;
  if (link.kind === 'connecting') return [info(t('link.connecting'))];
  if (link.kind === 'away') {
    const isOther = link.code === 'UNAUTHENTICATED';
    const more = link.retryInMs !== null ? 'link.away.retry' : isOther ? 'link.away.address' : 'link.away.lasting';
    const known = causeText(link.cause, t, language);
    // A link that broke has no more to say than that.
    const own = known === null && link.code !== 'LINK_LOST' && !isOther ? link.message || null : wordsOf(link.cause);
    // Anything but a link that broke has something that somebody can do.
    const isSaid = more === 'link.away.retry' && (known !== null || link.code !== 'LINK_LOST');
    const why = isSaid ? [known ?? sayFault(link.code, t)] : [];
    return [{ kind: 'alarm', text: sentences([t('link.away'), ...why, t(more)], language), detail: own }];
  }
  return station === null
    ? []
    : [
        ...troublesOfSource(station, texts),
        ...troublesOfDelivery(station.delivery, texts),
        ...troublesOfCloud(station, texts),
      ];
}

function troublesOfSource(
  { state, source: { name: source, state: kind, reason } }: StationView,
  texts: Texts,
): Trouble[] {
  const { t } = texts;
  if (kind === 'lost') return [knownAlarm(t('line.sourceLost', { source }), reason, texts)];
  if (state === 'paused') return [info(t('line.paused'))];
  return kind === 'ended' ? [info(t('line.sourceEnded', { source }))] : [];
}

interface Reason {
  readonly code: ErrorCode;
  readonly message?: string;
  readonly cause?: CauseView | null;
}

/** The station may know why; else the code says what to do. */
function knownAlarm(text: string, reason: Reason | null, texts: Texts): Trouble {
  const { t, language } = texts;
  const known = causeText(reason?.cause, t, language);
  if (known !== null)
    return { kind: 'alarm', text: sentences([text, known], language), detail: wordsOf(reason?.cause) };
  return alarm(text, reason?.code ?? null, texts, reason?.message);
}

function troublesOfDelivery({ disk, isHeld, blocked, waiting }: DeliveryView, texts: Texts): Trouble[] {
  const { t } = texts;
  const code = disk === 'ok' ? null : disk === 'full' ? 'DISK_FULL' : 'DISK_FAILED';
  const kept = isHeld || code !== null ? [alarm(t(isHeld ? 'line.held' : 'line.notKept'), code, texts)] : [];
  return [
    ...kept,
    ...blocked.map((why) => knownAlarm(t('line.notDelivered', { sink: why.sink, waiting }), why, texts)),
  ];
}

function troublesOfCloud({ link: { state, code, cause = null } }: StationView, texts: Texts): Trouble[] {
  return state === 'away' && code !== null ? [knownAlarm(texts.t('line.cloudAway'), { code, cause }, texts)] : [];
}

function info(text: string): Trouble {
  return { kind: 'info', text, detail: null };
}

/** @param code says what to do */
function alarm(text: string, code: ErrorCode | null, { t, language }: Texts, detail: string | null = null): Trouble {
  return { kind: 'alarm', text: code === null ? text : sentences([text, sayFault(code, t)], language), detail };
}
