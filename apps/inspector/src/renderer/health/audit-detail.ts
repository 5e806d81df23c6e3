// What a call of the log was told, as JSON -> names and values in the user's language.
import { en, type MessageKey } from '../i18n/en.ts';
import type { Language, Translate } from '../i18n/messages.tsx';
import { formatThreshold } from '../shared/format.ts';
import type { Pair } from '../shared/pairs-panel.tsx';

/** Logs outlive pages: a name that is not known is said as it is, and text that is no JSON as a whole. */
export function auditDetail(detail: string, t: Translate, language: Language): readonly Pair[] {
  let said: unknown;
  try {
    said = JSON.parse(detail);
  } catch {
    return [['', detail]];
  }
  if (typeof said !== 'object' || said === null) return [['', detail]];
  return Object.entries(said)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [nameText(name, t), valueText(name, value, t, language)]);
}

function nameText(name: string, t: Translate): string {
  const key = `auditOf.${name}`;
  return Object.hasOwn(en, key) ? t(key as MessageKey) : name;
}

function valueText(name: string, value: unknown, t: Translate, language: Language): string {
  if (value === null) return '–';
  if (typeof value === 'boolean') return t(value ? 'auditOf.yes' : 'auditOf.no');
  if (typeof value === 'number') return formatThreshold(value, language);
  if (typeof value !== 'string') return JSON.stringify(value);
  const key = `${WORDS[name] ?? 'auditOf'}.${value}`;
  return Object.hasOwn(en, key) ? t(key as MessageKey) : value;
}

/** Values that screens have words for. */
const WORDS: Readonly<Record<string, string>> = {
  action: 'fleet.action',
  route: 'cut.row',
  from: 'cut.row',
  judgeBy: 'auditOf.judgeBy',
};
