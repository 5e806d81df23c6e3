// Why a part has no score, or another verdict than its score says -> in the user's language, with the station's own words behind it.
import type { ResultRecord } from '@kerf/edge-runtime';
import { en, type MessageKey } from '../i18n/en.ts';
import { type Translate, useTexts } from '../i18n/messages.tsx';
import { sayFault } from './fault-text.tsx';

export function ReasonText({ reason }: { readonly reason: NonNullable<ResultRecord['reason']> }) {
  const { t } = useTexts();
  return (
    <p className="reason">
      {sayCode(reason.code, t)} <span className="fault-detail">{reason.message}</span>
    </p>
  );
}

/** A code of the table of errors, as it concerns a part where it means something else there. */
export function sayCode(code: string, t: Translate): string {
  const key = `reason.${code}`;
  return Object.hasOwn(en, key) ? t(key as MessageKey) : sayFault(code, t);
}
