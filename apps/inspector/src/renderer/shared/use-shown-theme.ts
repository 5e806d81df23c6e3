// The theme that somebody chose -> the one to show: "as the system" follows the system while the page is open.
import { useSyncExternalStore } from 'react';
import type { Theme } from './settings.ts';

const SYSTEM = '(prefers-color-scheme: dark)';

function listen(changed: () => void): () => void {
  const query = matchMedia(SYSTEM);
  query.addEventListener('change', changed);
  return () => query.removeEventListener('change', changed);
}

export function useShownTheme(chosen: Theme): Exclude<Theme, 'system'> {
  const isDark = useSyncExternalStore(listen, () => matchMedia(SYSTEM).matches);
  if (chosen !== 'system') return chosen;
  return isDark ? 'dark' : 'light';
}
