// The screens as tabs. Where the window is too narrow for all of them they scroll, and the current one is always in sight.
import { type RefObject, useEffect, useRef, useState } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { SCREENS, type Screen } from './screens.ts';

interface Props {
  readonly screen: Screen;
  readonly onScreen: (screen: Screen) => void;
}

export function ScreenTabs({ screen, onScreen }: Props) {
  const { t, language } = useTexts();
  const strip = useRef<HTMLElement>(null);
  const more = useMore(strip);
  useEffect(() => {
    const { current: nav } = strip;
    const tab = nav?.querySelector<HTMLElement>('[aria-current=page]');
    if (nav == null || tab == null) return;
    // In the middle, so that its neighbours are in sight too; only the strip moves, never the page.
    nav.scrollLeft = tab.offsetLeft - nav.offsetLeft - (nav.clientWidth - tab.offsetWidth) / 2;
  }, [screen, language, more.widthPx]);
  return (
    <nav ref={strip} aria-label={t('nav.label')} data-more={more.sides}>
      {SCREENS.map((name) => (
        <a
          key={name}
          href={`#${name}`}
          aria-current={name === screen ? 'page' : undefined}
          onClick={(event) => {
            event.preventDefault();
            onScreen(name);
          }}
        >
          {t(`nav.${name}`)}
        </a>
      ))}
    </nav>
  );
}

/** At which sides tabs are out of sight: `left`, `right`, both or none; and how wide the strip is. */
function useMore(strip: RefObject<HTMLElement | null>): { readonly sides: string; readonly widthPx: number } {
  const [seen, setSeen] = useState({ sides: '', widthPx: 0 });
  useEffect(() => {
    const { current: nav } = strip;
    if (nav === null) return;
    const look = (): void => {
      const { scrollLeft, clientWidth: widthPx, scrollWidth } = nav;
      const sides = [scrollLeft > 1 && 'left', scrollLeft + widthPx < scrollWidth - 1 && 'right'].filter(Boolean);
      const now = { sides: sides.join(' '), widthPx };
      setSeen((before) => (before.sides === now.sides && before.widthPx === widthPx ? before : now));
    };
    look();
    nav.addEventListener('scroll', look, { passive: true });
    const resized = new ResizeObserver(look);
    resized.observe(nav);
    return () => {
      nav.removeEventListener('scroll', look);
      resized.disconnect();
    };
  }, [strip]);
  return seen;
}
