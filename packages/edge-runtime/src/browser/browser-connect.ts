// A URL -> a connection to the cloud from a browser, over its WebSocket.
import { browserTransport, type Connect, KerfError, parseUrl, SUBPROTOCOL } from '@kerf/protocol';

export interface BrowserConnectOptions {
  /** `wss://host/path`; `ws://` where the page's own rules allow it. */
  readonly url: string;
}

/**
 * Connects with the platform's WebSocket. A browser does not tell why a connection failed: an untrusted certificate
 * looks like a cloud that is not there.
 * @throws {KerfError} INVALID_ARGUMENT for a URL that cannot be used; the connection itself LINK_LOST, with
 *   `unheard` in its details where the platform knows that it has no network.
 */
export function browserConnect({ url }: BrowserConnectOptions): Connect {
  const parsed = parseUrl(url);
  if (parsed === null || !/^wss?:$/.test(parsed.protocol)) {
    throw new KerfError('INVALID_ARGUMENT', `'${url}' is not a wss:// or ws:// URL`);
  }
  return (signal) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(parsed.href, SUBPROTOCOL);
      const transport = browserTransport(socket);
      const onAbort = (): void => socket.close();
      signal.addEventListener('abort', onAbort, { once: true });
      const settle = (then: () => void) => (): void => {
        signal.removeEventListener('abort', onAbort);
        then();
      };
      socket.addEventListener(
        'open',
        settle(() => resolve(transport)),
        { once: true },
      );
      const failed = (): void => {
        const details = { unheard: Object.is(globalThis.navigator?.onLine, false) };
        reject(new KerfError('LINK_LOST', `cannot connect to ${parsed.host}`, { details }));
      };
      socket.addEventListener('close', settle(failed), { once: true });
      if (signal.aborted) onAbort();
    });
}
