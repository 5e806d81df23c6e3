// A code of the table of errors -> what happened and what to do, in the user's language.
import { en, type MessageKey } from '../i18n/en.ts';
import type { Translate } from '../i18n/messages.tsx';

/** A station that is newer than this page may have codes that the page does not know. */
export function sayFault(code: string, t: Translate): string {
  const key = `fault.${code}`;
  return t(Object.hasOwn(en, key) ? (key as MessageKey) : 'fault.other');
}
