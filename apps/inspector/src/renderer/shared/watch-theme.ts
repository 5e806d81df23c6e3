// Tells those who draw by themselves that colours have changed: another theme was chosen, or the system's has changed.

/** Calls `changed` until `signal` aborts. */
export function watchTheme(changed: () => void, signal: AbortSignal): void {
  const themed = new MutationObserver(changed);
  themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  signal.addEventListener('abort', () => themed.disconnect());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed, { signal });
}
