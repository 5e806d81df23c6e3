// A host and a port -> a TCP connection to the first of its addresses that answers.
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { untilAborted } from '@kerf/protocol';

/** Between the first attempts at two addresses of a host. */
const NEXT_ADDRESS_MS = 250;
/**
 * Between attempts that nobody answers. The system repeats its own after 1, 3, 7 and 15 s (newer ones up to 5 s each
 * second): a network that comes back in between is found by the next fresh one. Those before stay, for networks whose
 * answer takes longer.
 */
const NEXT_ATTEMPT_MS = 1500;
/** Below the time that connecting may take in all, so that silence is told from a peer that is slow. */
const SILENCE_MS = 8000;

/** Questions under way. A name service that is not there keeps threads waiting that the disk needs as well: one for each name. */
const lookups = new Map<string, Promise<LookupAddress[]>>();

/**
 * Connects; the socket sends small pieces at once. Ends all other attempts.
 * @throws {Error} the system's, of the first attempt that failed, when no address answered; the reason of `signal`.
 */
export async function reachHost(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const addresses = await untilAborted(addressesOf(host), signal);
  return new Promise((resolve, reject) => {
    const pending = new Set<Socket>();
    let failure: Error | null = null;
    let begun = 0;
    let timer: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      clearTimeout(silence);
      signal.removeEventListener('abort', onAbort);
      for (const socket of pending) socket.destroy();
    };
    const fail = (error: unknown): void => {
      finish();
      reject(error);
    };
    const begin = (): void => {
      clearTimeout(timer);
      const { address, family } = addresses[begun++ % addresses.length] as LookupAddress;
      const socket = connect({ host: address, family, port, noDelay: true });
      pending.add(socket);
      socket.once('connect', () => {
        if (!pending.delete(socket)) return;
        finish();
        resolve(socket);
      });
      // Stays for good: an attempt that was ended may still tell why it could not be made.
      socket.on('error', (error) => {
        if (!pending.delete(socket)) return;
        failure ??= error;
        if (begun < addresses.length) begin();
        else if (pending.size === 0) fail(failure);
      });
      timer = setTimeout(begin, begun < addresses.length ? NEXT_ADDRESS_MS : NEXT_ATTEMPT_MS);
    };
    const onAbort = (): void => fail(signal.reason);
    const silence = setTimeout(
      () => fail(failure ?? Object.assign(new Error(`no answer within ${SILENCE_MS} ms`), { code: 'ETIMEDOUT' })),
      SILENCE_MS,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    begin();
  });
}

function addressesOf(host: string): Promise<LookupAddress[]> {
  const underWay = lookups.get(host);
  if (underWay !== undefined) return underWay;
  const question = lookup(host, { all: true }).finally(() => lookups.delete(host));
  lookups.set(host, question);
  return question;
}
