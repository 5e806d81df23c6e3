// A URL -> a connection to the cloud from Node: WebSocket over TLS 1.3.
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as startTls } from 'node:tls';
import {
  type Connect,
  DEFAULT_WIRE_LIMITS,
  isLoopback,
  KerfError,
  messageOf,
  parseUrl,
  SUBPROTOCOL,
  type Transport,
  untrustedError,
} from '@kerf/protocol';
import { type ClientOptions, WebSocket } from 'ws';
import { reachHost } from './reach-host.ts';
import { type Wire, wsTransport } from './ws-transport.ts';

export interface WsConnectOptions {
  /** `wss://host:port/path`; `ws://` only to this machine, unless `allowPlainText`. */
  readonly url: string;
  /** PEM of the authority that signed the cloud's certificate, or who knows it at each connect; the system's authorities when left out. */
  readonly ca?: string | Uint8Array | (() => Promise<string>);
  /** Largest message taken. @default 64 MiB */
  readonly maxMessageBytes?: number;
  /** What both ends speak. @default the protocol of the cloud */
  readonly subprotocol?: string;
  /** Whose page it says that it is of, for servers that ask; nobody's when left out. */
  readonly origin?: string;
  /** Allows `ws://` to other machines: tokens and frames are readable on the way. @default false */
  readonly allowPlainText?: boolean;
}

/**
 * Connects with `ws`, without compression (activations do not compress, and it costs memory per message).
 * @throws {KerfError} INVALID_ARGUMENT for a URL that cannot be used; the connection itself TLS_UNTRUSTED, and LINK_LOST, where no
 *   peer answered with `unheard` in its details.
 */
export function wsConnect(options: WsConnectOptions): Connect {
  const url = checkUrl(options);
  const secure = url.protocol === 'wss:';
  const settings: ClientOptions = {
    perMessageDeflate: false,
    maxPayload: options.maxMessageBytes ?? DEFAULT_WIRE_LIMITS.maxMessageBytes,
    followRedirects: false,
    ...(options.origin === undefined ? {} : { origin: options.origin }),
    ...(secure && { minVersion: 'TLSv1.3' as const }),
    // RFC 6455 section 10.3: masks keep plain-text proxies from being confused. Inside TLS no proxy reads them, and
    // masking 800 KB costs more than sending it. Plain connections keep their random masks.
    ...(secure && { generateMask: (mask: Buffer) => void mask.fill(0) }),
  };
  const { ca, subprotocol = SUBPROTOCOL } = options;
  return async (signal) => {
    const authority = typeof ca === 'function' ? await ca() : ca;
    const trusted = secure && authority !== undefined ? { ca: Buffer.from(authority) } : {};
    const socket = await reach(url, signal);
    return connect(url, subprotocol, { ...settings, ...trusted, ...over(socket, secure) }, signal);
  };
}

function checkUrl({ url: text, allowPlainText = false }: WsConnectOptions): URL {
  const url = parseUrl(text);
  if (url === null || (url.protocol !== 'wss:' && url.protocol !== 'ws:')) {
    throw new KerfError('INVALID_ARGUMENT', `'${text}' is not a wss:// or ws:// URL`);
  }
  if (url.protocol === 'ws:' && !isLoopback(url.hostname) && !allowPlainText) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `'${text}' would send the token unencrypted; use wss://, or set allowPlainText`,
    );
  }
  return url;
}

async function reach(url: URL, signal: AbortSignal): Promise<Socket> {
  const port = Number(url.port || (url.protocol === 'wss:' ? 443 : 80));
  try {
    return await reachHost(hostOf(url), port, signal);
  } catch (error) {
    throw connectError(error as Error, url, { unheard: true });
  }
}

/** Without the brackets of IPv6. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Has `ws` use a socket that is connected already. */
function over(socket: Socket, secure: boolean): ClientOptions {
  const createConnection = (options: ConnectionOptions): Socket => {
    if (!secure) return socket;
    const { host = '' } = options;
    return startTls({ ...options, path: undefined, socket, servername: isIP(host) === 0 ? host : '' });
  };
  return { createConnection } as ClientOptions;
}

function connect(url: URL, subprotocol: string, settings: ClientOptions, signal: AbortSignal): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, subprotocol, settings);
    const onAbort = (): void => socket.terminate();
    signal.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => signal.removeEventListener('abort', onAbort);
    let wire: Wire | null = null;
    socket.once('upgrade', (response) => {
      wire = { socket: response.socket, isEncrypted: url.protocol === 'wss:' };
    });
    socket.once('open', () => {
      settle();
      resolve(wsTransport(socket, wire));
    });
    socket.on('error', (error) => {
      settle();
      reject(connectError(error, url));
    });
    if (signal.aborted) onAbort();
  });
}

/** What `ws` says of an answer that is no WebSocket, and of one that only looks like it. */
const NO_WEBSOCKET = /^Unexpected server response: (\d{3})$/;
const ENDED_BEFORE_TLS = /disconnected before secure TLS connection/;
const BROKEN_UPGRADE = /^(Invalid (Sec-WebSocket|Upgrade)|Server sent )/;

/** What a person can do about it stands in the message: nobody else is there when a plant's network is at fault. */
function connectError(
  error: Error & { readonly code?: string },
  url: URL,
  details: Readonly<Record<string, unknown>> = {},
): KerfError {
  const { host } = url;
  const { code = '' } = error;
  const untrusted = untrustedError(error, host);
  if (untrusted !== null) return untrusted;
  const lost = (what: string): KerfError =>
    new KerfError('LINK_LOST', `cannot connect to ${host}: ${what}`, { cause: error, details });
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return lost(`the network does not know this name now (${code}); check its name service`);
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return lost(`no TLS 1.3 from what answers (${code}); a login page or a proxy of the network may answer`);
  }
  if (ENDED_BEFORE_TLS.test(error.message)) {
    return lost(
      'what answers ends the connection before TLS: a balancer with no cloud behind it, or a port without TLS',
    );
  }
  const status = NO_WEBSOCKET.exec(error.message)?.[1];
  if (status !== undefined) {
    return lost(
      `HTTP ${status} from something that is no kerf cloud; a login page or a proxy of the network may answer`,
    );
  }
  if (code.startsWith('HPE_') || BROKEN_UPGRADE.test(error.message)) {
    return lost(
      `no kerf cloud answers there (${error.message}); check the port, or whether a proxy of the network passes WebSockets`,
    );
  }
  return lost(messageOf(error) === '' ? code || 'no reason given' : messageOf(error));
}
