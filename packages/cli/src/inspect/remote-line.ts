// The address that `kerf inspect` printed on another machine -> the way to that machine's line.
import { BRIDGE_SUBPROTOCOL, MAX_ENVELOPE_BYTES } from '@kerf/bridge';
import { authorityFile, wsConnect } from '@kerf/edge-runtime/node';
import { type Connect, isLoopback, KerfError, parseUrl } from '@kerf/protocol';

export interface RemoteLine {
  readonly connect: Connect;
  /** Host and port: what the line is called until it has said its name. */
  readonly machine: string;
}

/**
 * @param ca PEM file that the other machine's certificate is known by; null: the system's authorities
 * @throws {KerfError} INVALID_ARGUMENT for what is no such address.
 */
export async function remoteLine(address: string, ca: string | null): Promise<RemoteLine> {
  const page = parseUrl(address);
  // The address itself is a secret: nothing is said of it but its machine.
  const where = page === null ? 'an address' : `the address at ${page.host}`;
  if (page === null || page.pathname === '/') {
    throw new KerfError('INVALID_ARGUMENT', `${where} is not one that 'kerf inspect' prints: copy the whole of it`);
  }
  if (page.protocol === 'http:' && !isLoopback(page.hostname)) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `${where} would be asked without TLS: serve that line with --host, and give its https address`,
    );
  }
  const url = new URL('bridge', page.pathname.endsWith('/') ? page : `${page.origin}${page.pathname}/`);
  url.protocol = page.protocol === 'https:' ? 'wss:' : 'ws:';
  const connect = wsConnect({
    url: url.href,
    subprotocol: BRIDGE_SUBPROTOCOL,
    origin: page.origin,
    maxMessageBytes: MAX_ENVELOPE_BYTES,
    ...(ca === null ? {} : { ca: await authorityFile(ca) }),
  });
  return { connect, machine: page.host };
}
