// A list of any length and how far it is scrolled -> the rows in sight, and where they are drawn.
import { type RefObject, useEffect, useState } from 'react';

export interface RowWindow {
  readonly first: number;
  /** Not included. */
  readonly end: number;
  /** Of the first row, from the upper end of what scrolls. */
  readonly topPx: number;
  /** Of all that scrolls. */
  readonly heightPx: number;
}

/** Chromium draws nothing beyond 33,554,432 px, Firefox beyond 17,895,698. */
export const MAX_HEIGHT_PX = 16_000_000;
/** Rows beyond both ends, so that fast scrolling shows no gap. */
const MORE = 8;

/** A list that is higher than a browser can scroll moves faster than the finger, so that both reach the end together. */
export function rowWindow(count: number, rowPx: number, scrollTop: number, viewPx: number): RowWindow {
  const total = count * rowPx;
  const heightPx = Math.min(total, MAX_HEIGHT_PX);
  const most = Math.max(0, heightPx - viewPx);
  const scrolled = Math.max(0, Math.min(scrollTop, most));
  const into = most === 0 ? 0 : (scrolled / most) * Math.max(0, total - viewPx);
  const first = Math.max(0, Math.floor(into / rowPx) - MORE);
  const end = Math.min(count, Math.ceil((into + viewPx) / rowPx) + MORE);
  return { first, end, topPx: scrolled - (into - first * rowPx), heightPx };
}

/** Scrolling that passes a pixel of rows: less than one where the list is higher than a browser can scroll. */
function scrollPerPx(count: number, rowPx: number, viewPx: number): number {
  const total = count * rowPx;
  return total <= viewPx ? 0 : (Math.min(total, MAX_HEIGHT_PX) - viewPx) / (total - viewPx);
}

/** Scrolling that passes so many rows. */
export function rowsToScroll(rows: number, count: number, rowPx: number, viewPx: number): number {
  return rows * rowPx * scrollPerPx(count, rowPx, viewPx);
}

/** How far to scroll so that row `index` is seen whole; where it is seen already, as far as now. */
export function scrolledTo(index: number, count: number, rowPx: number, scrollTop: number, viewPx: number): number {
  const share = scrollPerPx(count, rowPx, viewPx);
  if (share === 0) return scrollTop;
  const into = scrollTop / share;
  const [top, bottom] = [index * rowPx, (index + 1) * rowPx];
  if (top < into) return top * share;
  return bottom > into + viewPx ? (bottom - viewPx) * share : scrollTop;
}

/** The window of an element that scrolls. */
export function useRowWindow(scroller: RefObject<HTMLElement | null>, count: number, rowPx: number): RowWindow {
  const [{ scrollTop, viewPx }, setSeen] = useState({ scrollTop: 0, viewPx: 0 });
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const look = (): void => setSeen({ scrollTop: element.scrollTop, viewPx: element.clientHeight });
    look();
    element.addEventListener('scroll', look, { passive: true });
    const resized = new ResizeObserver(look);
    resized.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      resized.disconnect();
    };
  }, [scroller]);
  return rowWindow(count, rowPx, scrollTop, viewPx);
}
