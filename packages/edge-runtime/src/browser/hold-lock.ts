// A name -> a lock among all pages and workers of the origin, held until it is let go or the page ends.
import { KerfError } from '@kerf/protocol';

/**
 * @returns how to let go. A browser without Web Locks (they need a secure context) lets everyone in.
 * @throws {KerfError} DISK_IN_USE.
 */
export function holdLock(name: string, what: string): Promise<() => void> {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  if (locks === undefined) return Promise.resolve(() => {});
  return new Promise((resolve, reject) => {
    void locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (lock !== null) return new Promise<void>((release) => resolve(() => release()));
        reject(
          new KerfError('DISK_IN_USE', `${what} is open in another page or worker; close it, or use another name`),
        );
        return undefined;
      })
      .catch(reject);
  });
}
