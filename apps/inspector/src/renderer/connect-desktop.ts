// The desktop's preload script -> ports to the station's process.
import { type PortTransport, portTransport } from '@kerf/bridge';
import { type Connect, KerfError } from '@kerf/protocol';
import { GONE, PORT } from '../desktop/channels.ts';

interface Desktop {
  connect(): void;
}

export function desktopOf(scope: Window): Desktop | null {
  return (scope as { kerfDesktop?: Desktop }).kerfDesktop ?? null;
}

export function connectDesktop(scope: Window, desktop: Desktop): Connect {
  let current: PortTransport | null = null;
  let waiting: { resolve(transport: PortTransport): void; reject(error: KerfError): void } | null = null;
  scope.addEventListener('message', (event) => {
    if (event.source !== scope) return;
    const [port] = event.ports;
    if (event.data === PORT && port !== undefined) {
      current = portTransport({
        postMessage: (value) => port.postMessage(value),
        listen: (onMessage) => {
          port.onmessage = ({ data }) => onMessage(data);
        },
        close: () => port.close(),
      });
      waiting?.resolve(current);
      waiting = null;
    } else if (event.data === GONE) {
      current?.lost();
      waiting?.reject(new KerfError('LINK_LOST', "the station's process has ended"));
      waiting = null;
    }
  });
  return () =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      desktop.connect();
    });
}
