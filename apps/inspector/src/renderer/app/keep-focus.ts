// What had the keyboard goes from the page -> the nearest part that is left takes it, so that it is not lost to the top.

/** A part of a page that has a name, or is one. */
const PLACES = 'section, form, main';

/** Within `root`. The returned function ends it. */
export function keepFocus(root: HTMLElement): () => void {
  /** The element that has the keyboard, then those around it. */
  let path: readonly HTMLElement[] = [];
  const onFocus = ({ target }: FocusEvent): void => {
    path = pathTo(target as HTMLElement, root);
  };
  const onBlur = ({ target }: FocusEvent): void =>
    // Somebody has left an element that is still there.
    queueMicrotask(() => {
      if (target === path[0] && (target as HTMLElement).isConnected) path = [];
    });
  const observer = new MutationObserver(() => {
    const [last, ...around] = path;
    if (last === undefined || last.isConnected || document.activeElement !== document.body) return;
    const place = around.find((one) => one.isConnected && one.matches(PLACES));
    path = [];
    place?.setAttribute('tabindex', '-1');
    place?.focus({ preventScroll: true });
  });
  root.addEventListener('focusin', onFocus);
  root.addEventListener('focusout', onBlur);
  observer.observe(root, { childList: true, subtree: true });
  return () => {
    root.removeEventListener('focusin', onFocus);
    root.removeEventListener('focusout', onBlur);
    observer.disconnect();
  };
}

function pathTo(target: HTMLElement, root: HTMLElement): readonly HTMLElement[] {
  const path: HTMLElement[] = [];
  for (let one: HTMLElement | null = target; one !== null && root.contains(one); one = one.parentElement)
    path.push(one);
  return path;
}
