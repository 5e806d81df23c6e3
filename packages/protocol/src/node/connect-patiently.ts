// How long this process gives each address of a host before it goes on to the next one.
import * as net from 'node:net';

/** A handshake whose first packet was lost or waited in a full queue, and not much more: an address may also be dead. */
const ATTEMPT_MS = 1500;

/**
 * Node ends an attempt after 250 ms where there is another address, and does not come back to it: a host with two addresses, one
 * of them dead as IPv6 often is, could never be reached over a link that takes longer than that. For the first lines of a process.
 */
export function connectPatiently(): void {
  // Node 18, in older Electrons, has no such setting and needs none.
  net.setDefaultAutoSelectFamilyAttemptTimeout?.(ATTEMPT_MS);
}
