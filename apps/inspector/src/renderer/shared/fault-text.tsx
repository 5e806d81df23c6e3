// A fault -> what happened and what to do in the user's language, with the station's own words behind it.
import type { FaultView } from '@kerf/bridge';
import { en, type MessageKey } from '../i18n/en.ts';
import { type Translate, useTexts } from '../i18n/messages.tsx';

/** A code of the table of errors, or `other`. */
export type Said = { readonly code: FaultView['code'] | 'other'; readonly message: string };

/** What has no code of its own is said in the station's words. */
export function said(message: string | null): Said | null {
  return message === null ? null : { code: 'other', message };
}

export function FaultText({ fault, lead }: { readonly fault: Said | null; readonly lead?: string }) {
  const { t } = useTexts();
  if (fault === null) return null;
  return (
    <div className="fault" role="alert">
      {lead !== undefined && `${lead} `}
      {(lead === undefined || fault.code !== 'other') && sayFault(fault.code, t)}{' '}
      <span className="fault-detail">{fault.message}</span>
    </div>
  );
}

/** A station that is newer than this page may have codes that the page does not know. */
export function sayFault(code: string, t: Translate): string {
  const key = `fault.${code}`;
  return t(Object.hasOwn(en, key) ? (key as MessageKey) : 'fault.other');
}
