// Catalogs -> `t(key, values)` in the language that the user chose.
import { i18n } from '@lingui/core';
import { type CompiledMessage, compileMessage } from '@lingui/message-utils/compileMessage';
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { en, type MessageKey } from './en.ts';
import { zh } from './zh.ts';

export const LANGUAGES = { en: 'English', zh: '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;
export type { MessageKey };

/** Text of a message; numbers are written as the language writes them. */
export type Translate = (key: MessageKey, values?: Readonly<Record<string, string | number>>) => string;

const CATALOGS: Readonly<Record<Language, Readonly<Record<MessageKey, string>>>> = { en, zh };

/** By text: it would be parsed each time that it is said. */
const compiled = new Map<string, CompiledMessage>();

i18n.setMessagesCompiler((text) => {
  const known = compiled.get(text) ?? compileMessage(text);
  compiled.set(text, known);
  return known;
});

/** A translator for one language. */
export function translator(language: Language): Translate {
  const catalog = CATALOGS[language];
  return (key, values) => {
    if (i18n.locale !== language) i18n.loadAndActivate({ locale: language, messages: { ...catalog } });
    return i18n._(key, values);
  };
}

export interface Texts {
  readonly language: Language;
  readonly t: Translate;
}

const Context = createContext<Texts>({ language: 'en', t: (key) => key });

export function TextProvider({ language, children }: { readonly language: Language; readonly children: ReactNode }) {
  const texts = useMemo(() => ({ language, t: translator(language) }), [language]);
  return <Context value={texts}>{children}</Context>;
}

export function useTexts(): Texts {
  return useContext(Context);
}
