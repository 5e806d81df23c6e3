// A laid out graph and what somebody does over it -> a view that pans and zooms, drawn outside React.
import { watchTheme } from '../../shared/watch-theme.ts';
import { type CutLine, nearestLine } from './cut-lines.ts';
import { listenToGestures, type Point } from './gestures.ts';
import { type Colors, type Marks, paint, type View } from './graph-painter.ts';
import type { LaidGraph } from './use-layout.ts';

export interface GraphEvents {
  /** Somebody chose a box; null for none. */
  onItem(item: number | null): void;
  /** The handle of the cut line was dragged to this line. */
  onLine(line: number): void;
}

const LEAST_ZOOM = 0.08;
const MOST_ZOOM = 3;
const NONE: Marks = { share: null, cut: null, now: null, nowText: '', found: new Set(), chosen: null };

export class GraphCanvas {
  /** Frames drawn so far: the bench counts them. */
  frames = 0;
  private readonly canvas: HTMLCanvasElement;
  private readonly handle: HTMLElement;
  private readonly events: GraphEvents;
  private readonly abort = new AbortController();
  private readonly resized: ResizeObserver;
  private view: View = { x: 0, y: 0, zoom: 1 };
  private graph: LaidGraph | null = null;
  private lines: readonly CutLine[] = [];
  private marks: Marks = NONE;
  private colors: Colors;
  private isDirty = false;

  constructor(canvas: HTMLCanvasElement, handle: HTMLElement, events: GraphEvents) {
    this.canvas = canvas;
    this.handle = handle;
    this.events = events;
    this.colors = colorsOf(canvas);
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(canvas);
    watchTheme(() => this.recolor(), this.abort.signal);
    listenToGestures(
      canvas,
      handle,
      {
        pan: (dx, dy) => this.panBy(dx, dy),
        zoom: (factor, at) => this.zoomBy(factor, at),
        fit: () => this.fit(),
        tap: (at) => this.events.onItem(this.itemAt(at)),
        drag: ({ y }) => {
          if (this.lines.length > 0) this.events.onLine(nearestLine(this.lines, y / this.view.zoom + this.view.y));
        },
      },
      this.abort.signal,
    );
  }

  close(): void {
    this.abort.abort();
    this.resized.disconnect();
  }

  /** Another graph, folding or set of cuts; the first is shown from its beginning. */
  setGraph(graph: LaidGraph, lines: readonly CutLine[]): void {
    const isFirst = this.graph === null;
    this.graph = graph;
    this.lines = lines;
    if (isFirst) this.fit();
    this.draw();
  }

  setMarks(marks: Marks): void {
    this.marks = marks;
    this.draw();
  }

  /** Moves the view so that a box or the cut line is in sight; where it is already, nothing moves. */
  show(what: { readonly item: number } | 'cut'): void {
    const place = what === 'cut' ? this.marks.cut : this.graph?.layout.boxes[what.item];
    if (place === null || place === undefined) return;
    const { clientHeight, clientWidth } = this.canvas;
    const { zoom } = this.view;
    const screenY = (place.y - this.view.y) * zoom;
    const x = 'x' in place ? place.x : this.view.x;
    const isAside = Math.abs(x - this.view.x) * zoom > clientWidth / 2 - 40;
    if (screenY < 40 || screenY > clientHeight - 40 || isAside) {
      // In the middle, but with no more empty room beyond the graph's ends than it is drawn with.
      const last = (this.graph?.layout.bottom ?? 0) + (END_PX - clientHeight) / zoom;
      const y = Math.min(place.y - clientHeight / 2 / zoom, last);
      this.move({ x, y: Math.max(y, -END_PX / zoom), zoom });
    }
  }

  /** The graph's whole width, from its beginning. */
  fit(): void {
    if (this.graph === null) return;
    const { left, right } = this.graph.layout;
    const zoom = Math.min(1, Math.max(READABLE, (this.canvas.clientWidth - 90) / Math.max(1, right - left)));
    this.move({ x: (left + right) / 2, y: -END_PX / zoom, zoom });
  }

  zoomBy(factor: number, at: Point = this.middle): void {
    const { x, y, zoom } = this.view;
    const next = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, zoom * factor));
    const dx = at.x - this.canvas.clientWidth / 2;
    this.move({ x: x + dx / zoom - dx / next, y: y + at.y / zoom - at.y / next, zoom: next });
  }

  panBy(dx: number, dy: number): void {
    const { x, y, zoom } = this.view;
    this.move({ x: x - dx / zoom, y: y - dy / zoom, zoom });
  }

  private get middle(): Point {
    return { x: this.canvas.clientWidth / 2, y: this.canvas.clientHeight / 2 };
  }

  private move({ x, y, zoom }: View): void {
    const bounds = this.graph?.layout ?? { left: 0, right: 0, bottom: 0 };
    const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(value, most));
    const above = this.canvas.clientHeight / zoom;
    this.view = {
      x: clamp(x, bounds.left, bounds.right),
      y: clamp(y, -above / 2, Math.max(0, bounds.bottom - above / 2)),
      zoom,
    };
    this.draw();
  }

  private itemAt(point: Point): number | null {
    const { x, y, zoom } = this.view;
    const gx = (point.x - this.canvas.clientWidth / 2) / zoom + x;
    const gy = point.y / zoom + y;
    const found = this.graph?.layout.boxes.findIndex(
      (box) => Math.abs(box.x - gx) <= box.width / 2 && Math.abs(box.y - gy) <= box.height / 2,
    );
    return found === undefined || found < 0 ? null : found;
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.canvas;
    const ratio = devicePixelRatio;
    Object.assign(this.canvas, { width: Math.round(clientWidth * ratio), height: Math.round(clientHeight * ratio) });
    this.paintNow();
  }

  private recolor(): void {
    this.colors = colorsOf(this.canvas);
    this.draw();
  }

  private draw(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    requestAnimationFrame(() => {
      this.isDirty = false;
      if (!this.abort.signal.aborted) this.paintNow();
    });
  }

  private paintNow(): void {
    const context = this.canvas.getContext('2d');
    if (context === null || this.graph === null) return;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    paint({ context, width, height, ratio: devicePixelRatio }, this.graph, this.view, this.marks, this.colors);
    this.frames++;
    this.placeHandle(height);
  }

  /** The handle stays in sight, at the edge that the line has left by. */
  private placeHandle(height: number): void {
    const { cut } = this.marks;
    const at = cut === null ? 0 : ((cut.points.at(-1) ?? 0) - this.view.y) * this.view.zoom;
    const half = this.handle.offsetHeight / 2;
    const y = Math.max(0, Math.min(at - half, height - 2 * half));
    this.handle.style.transform = `translateY(${Math.round(y)}px)`;
  }
}

/** Room above and below the graph: for the line of a cut and its handle. */
const END_PX = 60;

/** Of a graph that is wider than the canvas: it is shown no smaller than this, and panned. */
const READABLE = 0.5;

function colorsOf(element: HTMLElement): Colors {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  return {
    back: color('--panel'),
    ink: color('--ink'),
    soft: color('--soft'),
    line: color('--graph-line'),
    edge: color('--graph-edge'),
    cloud: color('--graph-cloud'),
    accent: color('--accent'),
  };
}
