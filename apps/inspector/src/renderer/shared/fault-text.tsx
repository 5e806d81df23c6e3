// A fault -> what happened and what to do in the user's language, with the station's own words behind it.
import type { CauseView, FaultView } from '@kerf/bridge';
import { useTexts } from '../i18n/messages.tsx';
import { causeText, wordsOf } from './cause-text.tsx';
import { sentences } from './format.ts';
import { OwnWords } from './own-words.tsx';
import { sayFault } from './say-fault.ts';

/** A code of the table of errors, or `other`. */
export type Said = {
  readonly code: FaultView['code'] | 'other';
  readonly message: string;
  readonly cause?: CauseView | null | undefined;
};

/** What has no code of its own is said by its cause, or in the station's words. */
export function said(message: string | null, cause?: CauseView | null): Said | null {
  return message === null ? null : { code: 'other', message, cause };
}

export function FaultText({ fault, lead }: { readonly fault: Said | null; readonly lead?: string }) {
  const { t, language } = useTexts();
  if (fault === null) return null;
  const known = causeText(fault.cause, t, language);
  const isSaid = lead === undefined || fault.code !== 'other';
  return (
    <div className="fault" role="alert">
      {sentences([lead ?? '', known ?? (isSaid ? sayFault(fault.code, t) : '')], language)}{' '}
      <OwnWords text={known === null ? fault.message : wordsOf(fault.cause)} />
    </div>
  );
}
