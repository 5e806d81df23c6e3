// An element -> how wide it is drawn, in CSS pixels, as it changes.
import { type RefObject, useLayoutEffect, useState } from 'react';

/** 0 before it is drawn. */
export function useWidth(element: RefObject<Element | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    const look = (): void => setWidth(Math.round(current.getBoundingClientRect().width));
    look();
    const resized = new ResizeObserver(look);
    resized.observe(current);
    return () => resized.disconnect();
  }, [element]);
  return width;
}
