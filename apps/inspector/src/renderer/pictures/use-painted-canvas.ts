// A canvas element of React's -> a canvas of the worker's, which hears how it is seen.
import { type RefObject, useEffect, useRef } from 'react';
import { useTexts } from '../i18n/messages.tsx';
import { LOCALES } from '../shared/format.ts';
import { useInspector } from '../shared/store.ts';
import type { Look } from './canvas-painter.ts';
import type { PaintedCanvas } from './page-worker.ts';

/** Steps of the size that pictures are decoded at, as layouts change. */
const WIDTH_STEP = 160;

/** Effects of the component that run later find the canvas in `painted`. */
export function usePaintedCanvas(showOverlay: boolean): {
  readonly element: RefObject<HTMLCanvasElement | null>;
  readonly painted: RefObject<PaintedCanvas | null>;
} {
  const { pictures } = useInspector();
  const { language } = useTexts();
  const element = useRef<HTMLCanvasElement>(null);
  const painted = useRef<PaintedCanvas | null>(null);
  const wanted = useRef({ showOverlay, locale: LOCALES[language] });
  wanted.current = { showOverlay, locale: LOCALES[language] };
  useEffect(() => {
    const canvas = element.current;
    if (canvas === null) return;
    const look = (): Look => ({ ...wanted.current, seenWidth: seenWidth(canvas) });
    let last = seenWidth(canvas);
    const taken = pictures.take(canvas, look());
    painted.current = taken;
    const sizes = new ResizeObserver(() => {
      if (seenWidth(canvas) !== last) taken.look(look());
      last = seenWidth(canvas);
    });
    sizes.observe(canvas);
    return () => {
      sizes.disconnect();
      taken.remove();
      painted.current = null;
    };
  }, [pictures]);
  useEffect(() => {
    const canvas = element.current;
    if (canvas !== null) painted.current?.look({ ...wanted.current, seenWidth: seenWidth(canvas) });
  }, [showOverlay, language]);
  return { element, painted };
}

function seenWidth({ clientWidth }: HTMLCanvasElement): number {
  return Math.ceil((clientWidth * devicePixelRatio) / WIDTH_STEP) * WIDTH_STEP;
}
