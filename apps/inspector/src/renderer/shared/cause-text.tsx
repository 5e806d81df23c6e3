// Why something was done that no person has said -> in the user's language; what it does not know, in English.
import type { CauseView } from '@kerf/bridge';
import { en, type MessageKey } from '../i18n/en.ts';
import { type Language, type Translate, useTexts } from '../i18n/messages.tsx';
import { formatBytes, formatMs, formatNumber, formatShare, sentences } from './format.ts';
import { OwnWords } from './own-words.tsx';
import { sayFault } from './say-fault.ts';

interface Props {
  /** Undefined from an older station. */
  readonly cause: CauseView | null | undefined;
  /** What a person said, or the same in English. */
  readonly reason: string;
  /** Goes before it. */
  readonly lead: string;
  /** Instead of `lead` where the cause is not known: all that can be said then. */
  readonly otherLead?: string;
}

export function CauseText({ cause, reason, lead, otherLead = lead }: Props) {
  const { t, language } = useTexts();
  const text = causeText(cause, t, language);
  const isPerson = cause === null || cause === undefined;
  return (
    <p className="fault">
      {text === null ? otherLead : sentences([lead, text], language)}{' '}
      {isPerson ? (
        <span className="fault-detail">{reason}</span>
      ) : (
        <OwnWords text={text === null ? reason : wordsOf(cause)} />
      )}
    </p>
  );
}

/** What another program has said of it; null where the kind says all. */
export function wordsOf(cause: CauseView | null | undefined): string | null {
  const quoted = cause?.['ending'] ?? cause?.['message'];
  return quoted === undefined ? null : String(quoted);
}

/** Null for a kind that this page does not know. */
export function causeText(cause: CauseView | null | undefined, t: Translate, language: Language): string | null {
  const key = `cause.${cause?.kind ?? ''}`;
  if (cause === null || cause === undefined || !Object.hasOwn(en, key)) return null;
  const values = Object.entries(cause).map(([name, value]) => [name, valueText(name, value, t, language)]);
  return t(key as MessageKey, Object.fromEntries(values) as Record<string, string>);
}

/** A value's name says its unit. */
function valueText(name: string, value: string | number, t: Translate, language: Language): string {
  if (typeof value === 'string') {
    if (name === 'code') return sayFault(value, t);
    if (value === '') return '–';
    return name === 'verdict' && Object.hasOwn(en, `verdict.${value}`) ? t(`verdict.${value}` as MessageKey) : value;
  }
  if (name.endsWith('Ms')) return formatMs(value, language);
  if (name.endsWith('Bytes') || name === 'bytes') return formatBytes(value, language);
  if (/share$/i.test(name)) return formatShare(value, language);
  return formatNumber(value, language, Number.isInteger(value) ? 0 : 1);
}
