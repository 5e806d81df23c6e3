// What was chosen from a list -> in sight, also where the page is so narrow that it is shown below the list.
import { type RefObject, useEffect } from 'react';

/** What begins lower in the window is not seen by who looks at the list. */
const SEEN_SHARE = 0.6;

/** @param chosen null while nobody has chosen */
export function useInSight(element: RefObject<HTMLElement | null>, chosen: string | null): void {
  useEffect(() => {
    const { current } = element;
    if (chosen === null || current === null) return;
    if (current.getBoundingClientRect().top > innerHeight * SEEN_SHARE) current.scrollIntoView({ block: 'start' });
  }, [element, chosen]);
}
