// Why a part has no score, or another verdict than its score says -> in the user's language.
import type { Reason, ReasonDetail } from '@kerf/edge-runtime';
import { en, type MessageKey } from '../i18n/en.ts';
import { type Language, type Translate, useTexts } from '../i18n/messages.tsx';
import { formatBytes, formatMs, formatNumber } from './format.ts';
import { OwnWords } from './own-words.tsx';
import { sayFault } from './say-fault.ts';

export function ReasonText({ reason }: { readonly reason: Reason }) {
  const { t, language } = useTexts();
  const detail = detailText(reason, t, language);
  if (detail !== null) return <p className="reason">{detail}</p>;
  return (
    <p className="reason">
      {sayCode(reason.code, t)} <OwnWords text={reason.message} />
    </p>
  );
}

/** null where only somebody else's words are there, or where a newer station says what this page does not know. */
export function detailText({ detail }: Reason, t: Translate, language: Language): string | null {
  if (detail === undefined || !Object.hasOwn(en, `part.${detail.kind}`)) return null;
  return t(`part.${detail.kind}`, valuesOf(detail, t, language));
}

function valuesOf(detail: ReasonDetail, t: Translate, language: Language): Readonly<Record<string, string | number>> {
  const number = (value: number, digits: number): string => formatNumber(value, language, digits);
  switch (detail.kind) {
    case 'picture-size':
      return { width: number(detail.width, 0), height: number(detail.height, 0) };
    case 'too-dark':
    case 'too-bright':
      return { brightness: number(detail.brightness, 1) };
    case 'flat':
      return { contrast: number(detail.contrast, 2) };
    case 'no-answer':
      return { source: detail.source, wait: formatMs(detail.waitMs, language) };
    case 'file-unreadable':
      return { file: detail.file, error: detail.error };
    case 'file-too-large':
      return {
        file: detail.file,
        bytes: formatBytes(detail.bytes, language),
        most: formatBytes(detail.mostBytes, language),
      };
    case 'file-no-picture':
      return { file: detail.file };
    case 'unknown-part':
      return { partId: detail.partId };
    case 'too-late':
      return { deadline: formatMs(detail.deadlineMs, language), stage: t(`stage.${detail.stage}`) };
    case 'unsure':
      return { label: detail.label, probability: number(detail.probability, 2), sureFrom: number(detail.sureFrom, 2) };
    case 'no-picture':
    case 'unreadable-picture':
    case 'repeated-picture':
    case 'no-part-id':
    case 'cloud-silent':
    case 'given-up':
    case 'no-score':
    case 'station-ended':
      return {};
  }
}

/** A code of the table of errors, as it concerns a part where it means something else there. */
export function sayCode(code: string, t: Translate): string {
  const key = `reason.${code}`;
  return Object.hasOwn(en, key) ? t(key as MessageKey) : sayFault(code, t);
}
