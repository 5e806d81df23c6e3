// The page's address -> a WebSocket to the station that served it. The address holds the secret that both need.
import { BRIDGE_SUBPROTOCOL } from '@kerf/bridge';
import { browserTransport, type Connect, KerfError } from '@kerf/protocol';

export function connectPage(page: string): Connect {
  const url = new URL('bridge', page);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return (signal) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, BRIDGE_SUBPROTOCOL);
      const transport = browserTransport(socket);
      signal.addEventListener('abort', () => socket.close(), { once: true });
      socket.addEventListener('open', () => resolve(transport), { once: true });
      socket.addEventListener('close', () => reject(new KerfError('LINK_LOST', 'no station answers')), { once: true });
    });
}
