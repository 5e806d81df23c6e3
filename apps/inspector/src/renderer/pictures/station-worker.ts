// The page's worker: talks with the station, decodes pictures and paints them. The page's own thread draws its screens only.
import { openBridge, type Port, shareBridge } from '@kerf/bridge';
import { systemClock } from '@kerf/protocol';
import { connectPage } from '../connect-page.ts';
import { CanvasPainter } from './canvas-painter.ts';
import { domPort } from './dom-port.ts';
import { HandedPorts } from './handed-ports.ts';
import { LiveFeed } from './live-feed.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** What a worker of the browser has; the DOM's types know pages only. */
const scope = globalThis as unknown as Pick<Port, 'postMessage'> & {
  onmessage: (event: { readonly data: ToWorker }) => void;
};

const painters = new Map<number, CanvasPainter>();
const ports = new HandedPorts(() => say({ kind: 'want-port' }));
let feed: LiveFeed | null = null;
let isVisible = true;

function say(message: FromWorker): void {
  scope.postMessage(message);
}

function start({ page, bridge: port }: Extract<ToWorker, { kind: 'start' }>): void {
  const connect = page === null ? ports.connect : connectPage(page);
  const bridge = openBridge({ connect, clock: systemClock, random: Math.random });
  feed = new LiveFeed(bridge, systemClock, (shown) => say({ kind: 'shown', ...shown }));
  shareBridge(domPort(port), bridge);
}

function addCanvas({ id, canvas, look }: Extract<ToWorker, { kind: 'canvas' }>): void {
  const painter = new CanvasPainter({
    canvas,
    clock: systemClock,
    look,
    onPainted: (painted) => {
      const { ageMs, isMarked, holdsMs } = painted;
      if (painted.subject.takenAtMs !== null) feed?.painted(painted);
      say({ kind: 'painted', id, ageMs, isMarked, holdsMs });
    },
    onFailed: (subject) => {
      if (subject.takenAtMs !== null) feed?.failed(subject);
    },
  });
  painter.hold(!isVisible);
  painters.set(id, painter);
}

function remove(id: number): void {
  const painter = painters.get(id);
  painters.delete(id);
  if (painter === undefined) return;
  feed?.leave(painter);
  painter.close();
}

scope.onmessage = ({ data: message }) => {
  if (message.kind === 'start') start(message);
  else if (message.kind === 'port') ports.take(message.port);
  else if (message.kind === 'canvas') addCanvas(message);
  else if (message.kind === 'remove') remove(message.id);
  else if (message.kind === 'visible') {
    isVisible = message.visible;
    for (const painter of painters.values()) painter.hold(!isVisible);
  } else {
    const painter = painters.get(message.id);
    if (painter === undefined) return;
    if (message.kind === 'look') painter.setLook(message.look);
    else if (message.kind === 'live') feed?.show(painter);
    else painter.show({ record: message.record, picture: message.picture, takenAtMs: null });
  }
};
