// The page's end of its worker: the bridge to the station, canvases that are painted there, and the live view.
import { type InspectorBridge, type PictureView, sharedBridge } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import type { DesktopLine } from '../connect-desktop.ts';
import { calmly, Store } from '../shared/observable.ts';
import type { Look } from './canvas-painter.ts';
import { domPort } from './dom-port.ts';
import type { ShownPart } from './live-feed.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** The worker's word is so late that the page marks the picture itself, and so late that it says why. */
const LATE_MS = 25;
const STUCK_MS = 1_000;

/** How the live view's painter keeps its word to mark what gets old. */
export type PainterState = 'well' | 'late' | 'stuck';

export interface LiveMoment extends Omit<ShownPart, 'ageMs'> {
  /** When it was taken, by this page's clock, or earlier. */
  readonly takenAt: number;
}

export interface PaintedCanvas {
  look(look: Look): void;
  still(record: ResultRecord, picture: PictureView): void;
  live(): void;
  remove(): void;
}

export class PageWorker {
  readonly bridge: InspectorBridge;
  /** The part that the live view shows. */
  readonly live = new Store<LiveMoment | null>(null, calmly);
  /** The live picture may be older than it says where its painter does not answer. */
  readonly painter = new Store<PainterState>('well');
  private readonly worker: Worker;
  private readonly canvases = new Map<number, HTMLCanvasElement>();
  private nextId = 0;
  private watches: ReturnType<typeof setTimeout>[] = [];

  /** @param desktop null where the page came from the station itself */
  constructor(scope: Window, worker: Worker, desktop: DesktopLine | null) {
    this.worker = worker;
    const { port1, port2 } = new MessageChannel();
    this.bridge = sharedBridge(domPort(port1));
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === 'want-port') desktop?.connect();
      else if (data.kind === 'shown') this.shown(data);
      else this.painted(data);
    });
    this.say({ kind: 'start', page: desktop === null ? scope.location.href : null, bridge: port2 }, [port2]);
    desktop?.onPort((port) => this.say({ kind: 'port', port }, port === null ? [] : [port]));
    const { document } = scope;
    document.addEventListener('visibilitychange', () => {
      this.watch(null, true);
      this.say({ kind: 'visible', visible: !document.hidden });
    });
  }

  /** A canvas is handed over once, for as long as it is in the document. */
  take(canvas: HTMLCanvasElement, look: Look): PaintedCanvas {
    const id = this.nextId++;
    const offscreen = canvas.transferControlToOffscreen();
    this.canvases.set(id, canvas);
    this.say({ kind: 'canvas', id, canvas: offscreen, look }, [offscreen]);
    return {
      look: (next) => this.say({ kind: 'look', id, look: next }),
      still: (record, picture) => this.say({ kind: 'still', id, record, picture }),
      live: () => this.say({ kind: 'live', id }),
      remove: () => {
        this.canvases.delete(id);
        this.watch(null, true);
        this.say({ kind: 'remove', id });
      },
    };
  }

  private shown({ ageMs, ...part }: ShownPart): void {
    this.live.set({ ...part, takenAt: performance.now() - ageMs });
  }

  private painted({ id, ageMs, isMarked, holdsMs }: Extract<FromWorker, { kind: 'painted' }>): void {
    const canvas = this.canvases.get(id);
    if (canvas === undefined) return;
    mark(canvas, 'drawn', true);
    if (ageMs === null) return;
    mark(canvas, 'marked', isMarked);
    this.watch(holdsMs, isMarked);
  }

  /** @param holdsMs the next word of the live view's painter comes by then; null where it owes none */
  private watch(holdsMs: number | null, isMarked: boolean): void {
    for (const one of this.watches) clearTimeout(one);
    this.watches = [];
    if (this.painter.get() !== 'well') this.painter.set('well');
    if (holdsMs === null || document.hidden) return;
    const expect = (lateMs: number, state: PainterState): void => {
      this.watches.push(setTimeout(() => this.painter.set(state), holdsMs + lateMs));
    };
    if (!isMarked) expect(LATE_MS, 'late');
    expect(STUCK_MS, 'stuck');
  }

  private say(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }
}

/** What is there already is not written again: that would cost the page a look at its styles. */
function mark({ dataset }: HTMLElement, name: string, value: boolean): void {
  if (dataset[name] !== String(value)) dataset[name] = String(value);
}
