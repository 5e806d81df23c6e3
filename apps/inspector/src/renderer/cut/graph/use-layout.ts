// Boxes and lines -> their layout, from a worker; the last one asked for.
import { useEffect, useRef, useState } from 'react';
import type { FoldedGraph, Item } from './fold-graph.ts';
import type { GraphLayout, LayoutRequest } from './layout-graph.ts';

/** A folded run of blocks is taller the more it holds, so that a cut inside has a place. */
const FOLD_STEP = 5;
const MAX_STEPS = 16;
const HEIGHT = { input: 34, node: 44, fold: 56 } as const;
const CHARACTER = 7.4;

export interface LaidGraph {
  readonly folded: FoldedGraph;
  readonly layout: GraphLayout;
}

export function sizeOf({ kind, label, detail, start, end }: Item): { width: number; height: number } {
  const characters = Math.max(label.length, detail.length);
  const width = Math.round(Math.min(260, Math.max(96, characters * CHARACTER + 28)));
  const steps = kind === 'fold' ? Math.min(MAX_STEPS, end - start) : 0;
  return { width, height: HEIGHT[kind] + FOLD_STEP * steps };
}

/** Null until the first is there; then the one before stays until the next is. */
export function useLayout(folded: FoldedGraph | null): LaidGraph | null {
  const [laid, setLaid] = useState<LaidGraph | null>(null);
  const worker = useRef<Worker | null>(null);
  useEffect(() => {
    worker.current = new Worker(new URL('./layout-worker.js', document.baseURI), { type: 'module' });
    return () => {
      worker.current?.terminate();
      worker.current = null;
    };
  }, []);
  useEffect(() => {
    const asked = worker.current;
    if (folded === null || asked === null) return;
    const request: LayoutRequest = { sizes: folded.items.map(sizeOf), edges: folded.edges };
    const id = performance.now();
    const onMessage = ({ data }: MessageEvent<{ id: number; layout: GraphLayout }>): void => {
      if (data.id === id) setLaid({ folded, layout: data.layout });
    };
    asked.addEventListener('message', onMessage);
    asked.postMessage({ id, request });
    return () => asked.removeEventListener('message', onMessage);
  }, [folded]);
  return laid;
}
