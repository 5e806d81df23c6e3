// Where a server listens -> the addresses that a person can open, and whether they need TLS; which arguments are addresses.
import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** No letter or digit that is read as another: it may have to be typed on a tablet. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/** Groups of four, 20 bits each, such as `kq7m-2xpt-9hbc`. */
export function makeSecret(groups = 3): string {
  const group = (): string => Array.from({ length: 4 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return Array.from({ length: groups }, group).join('-');
}

/** Whether an argument is meant as an address; else it is a file or a folder. */
export function isAddress(argument: string): boolean {
  return /^https?:\/\//.test(argument);
}

/** Host names under which `host` can be reached: itself, or those of this machine for an address that means all. */
export function reachableHosts(host: string): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const found = addresses
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  return found.length > 0 ? found : ['127.0.0.1'];
}

export function pageUrl(host: string, port: number, secret: string, isSecure: boolean): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return `${isSecure ? 'https' : 'http'}://${name}:${port}/${secret}/`;
}
