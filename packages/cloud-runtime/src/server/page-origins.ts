// The origin that a request names -> whether a page from there may use a cloud that asks for no token.
import { isLoopback, parseUrl } from '@kerf/protocol';

/**
 * A browser uses whatever its machine can reach, for any page that is open in it: without a token, pages must be named.
 * Programs send no origin. Pages of this machine are as trusted as its programs. The host that a request was sent to proves
 * nothing: a page's owner may point his own name at this address.
 * @param named origins as browsers write them, such as `https://station.plant.example`
 */
export function pageOrigins(named: readonly string[]): (origin: string | undefined) => boolean {
  const known = new Set(named);
  return (origin) => origin === undefined || known.has(origin) || isLoopback(parseUrl(origin)?.hostname ?? '');
}
