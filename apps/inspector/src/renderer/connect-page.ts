// The page's address -> a WebSocket to the station behind it. Who may what is in a cookie that the first visit set.
import { browserTransport, type Connect, KerfError } from '@kerf/protocol';

export const BRIDGE_SUBPROTOCOL = 'kerf-inspector.v1';

export function connectPage({ protocol, host }: Location): Connect {
  const url = `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/bridge`;
  return (signal) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, BRIDGE_SUBPROTOCOL);
      const transport = browserTransport(socket);
      signal.addEventListener('abort', () => socket.close(), { once: true });
      socket.addEventListener('open', () => resolve(transport), { once: true });
      socket.addEventListener('close', () => reject(new KerfError('LINK_LOST', 'no station answers')), { once: true });
    });
}
