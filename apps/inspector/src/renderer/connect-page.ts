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
      socket.addEventListener('close', () => void whyClosed(page).then(reject), { once: true });
    });
}

/** A browser does not tell why a socket was refused; the page's own address does. */
async function whyClosed(page: string): Promise<KerfError> {
  const status = await fetch(page, { cache: 'no-store' }).then(
    (answer) => answer.status,
    () => null,
  );
  // The station was started anew, with another secret.
  if (status === 404) return new KerfError('UNAUTHENTICATED', 'the station has another address now');
  return new KerfError('LINK_LOST', 'no station answers');
}
