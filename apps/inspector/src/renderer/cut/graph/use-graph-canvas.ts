// A laid out graph, its cut lines and marks -> the canvas that shows them, for as long as the screen is open.
import { type RefObject, useEffect, useRef } from 'react';
import type { CutLine } from './cut-lines.ts';
import { GraphCanvas, type GraphEvents } from './graph-canvas.ts';
import type { Marks } from './graph-painter.ts';
import type { LaidGraph } from './use-layout.ts';

export interface GraphDrawing {
  readonly laid: LaidGraph | null;
  readonly lines: readonly CutLine[];
  /** Null until there is a layout. */
  readonly marks: Marks | null;
}

export interface GraphRefs {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  readonly handle: RefObject<HTMLDivElement | null>;
  readonly painter: RefObject<GraphCanvas | null>;
}

export function useGraphCanvas({ laid, lines, marks }: GraphDrawing, events: GraphEvents): GraphRefs {
  const canvas = useRef<HTMLCanvasElement>(null);
  const handle = useRef<HTMLDivElement>(null);
  const painter = useRef<GraphCanvas | null>(null);
  const latest = useRef(events);
  latest.current = events;
  useEffect(() => {
    if (canvas.current === null || handle.current === null) return;
    const made = new GraphCanvas(canvas.current, handle.current, {
      onItem: (item) => latest.current.onItem(item),
      onLine: (line) => latest.current.onLine(line),
    });
    painter.current = made;
    return () => made.close();
  }, []);
  useEffect(() => {
    if (laid !== null) painter.current?.setGraph(laid, lines);
  }, [laid, lines]);
  useEffect(() => {
    if (marks !== null) painter.current?.setMarks(marks);
  }, [marks]);
  return { canvas, handle, painter };
}
