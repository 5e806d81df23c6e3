// A laid out graph, a view and colours -> pixels of a canvas: only what is in sight is drawn.
import type { CutLine } from './cut-lines.ts';
import type { Item } from './fold-graph.ts';
import type { LaidGraph } from './use-layout.ts';

export interface View {
  /** Of the graph, at the middle of the canvas's upper edge. */
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface Colors {
  readonly back: string;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly edge: string;
  readonly cloud: string;
  readonly accent: string;
}

/** What is drawn beside boxes and lines. */
export interface Marks {
  /** Part of each item's nodes that run on the device, 0 to 1. */
  readonly share: Float32Array | null;
  readonly cut: CutLine | null;
  /** Where frames run now. */
  readonly now: CutLine | null;
  readonly nowText: string;
  readonly found: ReadonlySet<number>;
  readonly chosen: number | null;
}

export interface Canvas {
  readonly context: CanvasRenderingContext2D;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
}

/** Below it no text can be read, and none is drawn. */
const READABLE_ZOOM = 0.45;
const MARGIN = 40;

export function paint(
  { context, width, height, ratio }: Canvas,
  { folded, layout }: LaidGraph,
  { x, y, zoom }: View,
  marks: Marks,
  colors: Colors,
): void {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = colors.back;
  context.fillRect(0, 0, width, height);
  context.setTransform(ratio * zoom, 0, 0, ratio * zoom, ratio * (width / 2 - x * zoom), -ratio * y * zoom);
  const top = y - MARGIN;
  const bottom = y + height / zoom + MARGIN;
  context.lineWidth = 1.4;
  context.strokeStyle = colors.line;
  context.beginPath();
  for (const line of layout.lines) {
    const last = line[line.length - 1] ?? 0;
    if (last < top || (line[1] ?? 0) > bottom) continue;
    trace(context, line);
  }
  context.stroke();
  layout.boxes.forEach((box, at) => {
    if (box.y + box.height / 2 < top || box.y - box.height / 2 > bottom) return;
    const item = folded.items[at];
    if (item !== undefined) drawBox(context, item, box, at, { marks, colors, withText: zoom >= READABLE_ZOOM });
  });
  const reach = { left: x - width / 2 / zoom, right: x + width / 2 / zoom };
  if (marks.now !== null) {
    drawCut(context, marks.now, reach, colors.soft, 2 / zoom, [6 / zoom, 5 / zoom]);
    context.fillStyle = colors.soft;
    context.font = `${13 / zoom}px system-ui, sans-serif`;
    context.textAlign = 'left';
    context.textBaseline = 'bottom';
    context.fillText(marks.nowText, reach.left + 8 / zoom, (marks.now.points[1] ?? 0) - 4 / zoom);
  }
  if (marks.cut !== null) drawCut(context, marks.cut, reach, colors.accent, 4 / zoom, []);
}

function trace(context: CanvasRenderingContext2D, line: readonly number[]): void {
  context.moveTo(line[0] ?? 0, line[1] ?? 0);
  for (let at = 2; at < line.length; at += 2) context.lineTo(line[at] ?? 0, line[at + 1] ?? 0);
}

function drawCut(
  context: CanvasRenderingContext2D,
  { points }: CutLine,
  { left, right }: { readonly left: number; readonly right: number },
  color: string,
  lineWidth: number,
  dash: number[],
): void {
  context.strokeStyle = color;
  context.lineWidth = lineWidth;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(left, points[1] ?? 0);
  for (let at = 0; at < points.length; at += 2) context.lineTo(points[at] ?? 0, points[at + 1] ?? 0);
  context.lineTo(right, points[points.length - 1] ?? 0);
  context.stroke();
  context.setLineDash([]);
}

interface BoxStyle {
  readonly marks: Marks;
  readonly colors: Colors;
  readonly withText: boolean;
}

function drawBox(
  context: CanvasRenderingContext2D,
  item: Item,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  at: number,
  { marks, colors, withText }: BoxStyle,
): void {
  const left = x - width / 2;
  const upper = y - height / 2;
  const share = item.kind === 'input' ? 1 : (marks.share?.[at] ?? 0);
  context.fillStyle = colors.cloud;
  context.beginPath();
  context.roundRect(left, upper, width, height, item.kind === 'input' ? height / 2 : 6);
  context.fill();
  if (share > 0) {
    // Never colour alone: what is on the device has a bar at its side as well.
    context.save();
    context.clip();
    context.fillStyle = colors.edge;
    context.fillRect(left, upper, width, height * share);
    context.fillStyle = colors.accent;
    context.fillRect(left, upper, 5, height * share);
    context.restore();
  }
  const isFound = marks.found.has(at);
  context.lineWidth = marks.chosen === at ? 4 : isFound ? 3 : 1.4;
  context.strokeStyle = marks.chosen === at || isFound ? colors.accent : colors.soft;
  if (isFound && marks.chosen !== at) context.setLineDash([7, 4]);
  context.beginPath();
  context.roundRect(left, upper, width, height, item.kind === 'input' ? height / 2 : 6);
  context.stroke();
  context.setLineDash([]);
  if (item.kind === 'fold') {
    context.lineWidth = 1.4;
    context.beginPath();
    for (const inset of [4, 8]) {
      context.moveTo(left + inset, upper + height + inset - 1);
      context.lineTo(left + width - inset, upper + height + inset - 1);
    }
    context.stroke();
  }
  if (withText) drawText(context, item, x, y, width, colors);
}

function drawText(
  context: CanvasRenderingContext2D,
  { label, detail }: Item,
  x: number,
  y: number,
  width: number,
  colors: Colors,
): void {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = colors.ink;
  context.font = '600 14px system-ui, sans-serif';
  context.fillText(label, x, detail === '' ? y : y - 9, width - 16);
  if (detail === '') return;
  context.font = '12px system-ui, sans-serif';
  context.fillText(detail, x, y + 9, width - 16);
}
