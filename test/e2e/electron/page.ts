// The page of the test's app: each port that it gets is passed on to the test process.
import { portTransport } from '@kerf/bridge';
import { browserTransport } from '@kerf/protocol';
import { type Desktop, desktopLine, desktopOf } from '../../../apps/inspector/src/renderer/connect-desktop.ts';
import { domPort } from '../../../apps/inspector/src/renderer/pictures/dom-port.ts';
import { relay } from './relay.ts';

declare const KERF_TEST_PORT: number;

const open = new Set<ReturnType<typeof portTransport>>();
const line = desktopLine(window, desktopOf(window) as Desktop, 1);
line.onPort((port) => {
  if (port === null) {
    for (const one of open) one.lost();
    open.clear();
    return;
  }
  const transport = portTransport(domPort(port));
  open.add(transport);
  const socket = new WebSocket(`ws://127.0.0.1:${KERF_TEST_PORT}/page`);
  socket.addEventListener('open', () => relay(transport, browserTransport(socket)), { once: true });
});
Object.assign(globalThis, { openPort: () => line.connect() });
