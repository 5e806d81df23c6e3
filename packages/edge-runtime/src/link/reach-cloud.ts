// Where the cloud is and who asks -> a token and a connected transport, or the reason why not.
import { type Connect, KerfError, messageOf, type Transport, untilAborted } from '@kerf/protocol';

/** A cloud to connect to. */
export interface CloudAddress {
  readonly connect: Connect;
  /** Asked at each connect. Null without authentication. */
  readonly token: string | null | (() => string | null | Promise<string | null>);
}

/**
 * Token and transport, or the reason of `signal` as soon as it is aborted, whatever the caller's functions do.
 * @throws {KerfError} LINK_LOST, TLS_UNTRUSTED, and the reason of `signal`.
 */
export async function reachCloud(
  address: CloudAddress,
  signal: AbortSignal,
): Promise<{ token: string | null; transport: Transport }> {
  const { token: source } = address;
  const token = typeof source === 'function' ? await untilAborted(askToken(source), signal) : source;
  const connecting = address.connect(signal);
  // A connection that comes after the time is up is not ours to keep.
  connecting.then(
    (late) => signal.aborted && late.close(1001, 'too late'),
    () => {},
  );
  return { token, transport: await untilAborted(connecting, signal) };
}

async function askToken(source: () => string | null | Promise<string | null>): Promise<string | null> {
  try {
    return await source();
  } catch (error) {
    throw KerfError.from(error, 'LINK_LOST', `the token function failed: ${messageOf(error)}`);
  }
}
