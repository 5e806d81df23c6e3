// Display settings -> the document's language, colours and sizes, and texts for all that is shown in it.
import { type ReactNode, useEffect } from 'react';
import { TextProvider } from '../i18n/messages.tsx';
import type { Store } from '../shared/observable.ts';
import type { Settings } from '../shared/settings.ts';
import { useStore } from '../shared/store.ts';
import { TargetContext, targetPx } from '../shared/target.ts';
import { useShownTheme } from '../shared/use-shown-theme.ts';

export function Display({ settings, children }: { readonly settings: Store<Settings>; readonly children: ReactNode }) {
  const { language, theme: chosenTheme, gloves } = useStore(settings);
  const theme = useShownTheme(chosenTheme);
  useEffect(() => {
    const root = document.documentElement;
    root.lang = language === 'zh' ? 'zh-Hans' : 'en';
    root.dataset['theme'] = theme;
    root.dataset['gloves'] = String(gloves);
  }, [language, theme, gloves]);
  return (
    <TextProvider language={language}>
      <TargetContext.Provider value={targetPx(gloves)}>{children}</TargetContext.Provider>
    </TextProvider>
  );
}
