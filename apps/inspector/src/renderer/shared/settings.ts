// Display settings of this screen, kept by the browser.
import { LANGUAGES, type Language } from '../i18n/messages.tsx';
import { Store } from './observable.ts';

export const THEMES = ['system', 'light', 'dark', 'contrast'] as const;
export type Theme = (typeof THEMES)[number];

export interface Settings {
  readonly language: Language;
  readonly theme: Theme;
  readonly gloves: boolean;
}

const KEY = 'kerf-inspector-settings';

/** What was kept, as far as it still makes sense; the language of the system else. */
export function readSettings(kept: string | null, systemLanguage: string): Settings {
  let found: Partial<Settings> = {};
  try {
    found = (JSON.parse(kept ?? '{}') ?? {}) as Partial<Settings>;
  } catch {
    // Somebody else's text: the defaults hold.
  }
  const system = systemLanguage.toLowerCase().startsWith('zh') ? 'zh' : 'en';
  return {
    language: found.language !== undefined && Object.hasOwn(LANGUAGES, found.language) ? found.language : system,
    theme: THEMES.find((theme) => theme === found.theme) ?? 'system',
    gloves: found.gloves === true,
  };
}

export function settingsStore(storage: Storage, systemLanguage: string): Store<Settings> {
  const store = new Store(readSettings(storage.getItem(KEY), systemLanguage));
  store.subscribe(() => storage.setItem(KEY, JSON.stringify(store.get())));
  return store;
}
