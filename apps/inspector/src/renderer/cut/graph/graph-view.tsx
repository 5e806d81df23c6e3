// The model's graph on a canvas, the handle of the cut line, search, and the node that was chosen.
import type { CutGraph, CutRow } from '@kerf/bridge';
import { type RefObject, useEffect, useMemo, useState } from 'react';
import { useTexts } from '../../i18n/messages.tsx';
import { CutHandle } from './cut-handle.tsx';
import { type CutLine, cutLine, headOf } from './cut-lines.ts';
import { foldGraph } from './fold-graph.ts';
import type { GraphCanvas } from './graph-canvas.ts';
import type { Marks } from './graph-painter.ts';
import { GraphSearch } from './graph-search.tsx';
import { NodePanel } from './node-panel.tsx';
import { useGraphCanvas } from './use-graph-canvas.ts';
import { type LaidGraph, useLayout } from './use-layout.ts';

interface Props {
  readonly graph: CutGraph;
  /** Empty without a plan: then there is a graph and no line to drag. */
  readonly rows: readonly CutRow[];
  readonly chosen: number | null;
  readonly now: number | null;
  readonly onChoose: (row: number) => void;
}

export function GraphView({ graph, rows, chosen, now, onChoose }: Props) {
  const { t } = useTexts();
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const [found, setFound] = useState<readonly number[]>([]);
  const [node, setNode] = useState<number | null>(null);
  const folded = useMemo(() => foldGraph(graph, open), [graph, open]);
  const laid = useLayout(folded);
  const lines = useMemo(() => (laid === null ? [] : linesOf(graph, laid, rows)), [graph, laid, rows]);
  const nowText = t('cut.tag.now');
  const marks = useMemo(
    () => (laid === null ? null : marksOf({ graph, laid, lines, rows, chosen, now, node, found, nowText })),
    [graph, laid, lines, rows, chosen, now, node, found, nowText],
  );
  const { canvas, handle, painter } = useGraphCanvas(
    { laid, lines, marks },
    {
      onItem: (item) => setNode(item === null || laid === null ? null : firstNode(laid, item)),
      onLine: (line) => line !== chosen && onChoose(line),
    },
  );
  useEffect(() => painter.current?.show('cut'), [painter, chosen, laid]);

  const showNode = (position: number): void => {
    setNode(position);
    const item = laid?.folded.itemOf[position];
    if (item !== undefined) painter.current?.show({ item });
  };
  const toggle = (repeat: number): void => {
    const next = new Set(open);
    if (!next.delete(repeat)) next.add(repeat);
    setOpen(next);
  };
  return (
    <section className="panel cut-graph" aria-label={t('cut.graph')}>
      <GraphSearch graph={graph} onFound={setFound} onNode={showNode} />
      <div className="graph-frame" aria-busy={laid?.folded !== folded}>
        <canvas
          ref={canvas}
          className="graph-canvas"
          tabIndex={0}
          role="img"
          aria-label={t('cut.graphLabel', { nodes: graph.nodes.length })}
        />
        <CutHandle handle={handle} rows={rows} chosen={chosen} onChoose={onChoose} />
        {laid === null && <p className="graph-waiting">{t('cut.layout')}</p>}
        <ZoomButtons painter={painter} />
      </div>
      <NodePanel graph={graph} position={node} open={open} onToggle={toggle} onToggleAll={(all) => setOpen(all)} />
    </section>
  );
}

function ZoomButtons({ painter }: { readonly painter: RefObject<GraphCanvas | null> }) {
  const { t } = useTexts();
  const buttons = [
    ['+', 'cut.zoomIn', () => painter.current?.zoomBy(1.25)],
    ['−', 'cut.zoomOut', () => painter.current?.zoomBy(0.8)],
    ['⤢', 'cut.zoomFit', () => painter.current?.fit()],
  ] as const;
  return (
    <div className="graph-buttons">
      {buttons.map(([sign, label, onClick]) => (
        <button key={label} type="button" aria-label={t(label)} title={t(label)} onClick={onClick}>
          <span aria-hidden="true">{sign}</span>
        </button>
      ))}
    </div>
  );
}

interface Drawn {
  readonly graph: CutGraph;
  readonly laid: LaidGraph;
  readonly lines: readonly CutLine[];
  readonly rows: readonly CutRow[];
  readonly chosen: number | null;
  readonly now: number | null;
  readonly node: number | null;
  readonly found: readonly number[];
  readonly nowText: string;
}

function marksOf({ graph, laid, lines, rows, chosen, now, node, found, nowText }: Drawn): Marks {
  const row = chosen === null ? undefined : rows[chosen];
  const itemOf = (position: number): number => laid.folded.itemOf[position] ?? 0;
  return {
    share: row === undefined ? null : shareOf(laid, headOf(graph, row)),
    cut: chosen === null ? null : (lines[chosen] ?? null),
    now: now === null ? null : (lines[now] ?? null),
    nowText,
    found: new Set(found.map(itemOf)),
    chosen: node === null ? null : itemOf(node),
  };
}

function firstNode({ folded }: LaidGraph, item: number): number | null {
  const found = folded.items[item];
  return found === undefined || found.kind === 'input' ? null : found.start;
}

function linesOf(graph: CutGraph, laid: LaidGraph, rows: readonly CutRow[]): CutLine[] {
  return rows.map((row) => cutLine(laid, headOf(graph, row), row.placement));
}

function shareOf({ folded: { items, itemOf } }: LaidGraph, head: Uint8Array): Float32Array {
  const share = new Float32Array(items.length);
  itemOf.forEach((item, position) => {
    const { start = 0, end = 1 } = items[item] ?? {};
    share[item] = (share[item] ?? 0) + (head[position] ?? 0) / (end - start);
  });
  return share;
}
