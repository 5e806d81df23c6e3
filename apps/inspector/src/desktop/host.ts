// Entry of the station's process: what older runtimes lack, then the station itself, which is an ES module.
import { webcrypto } from 'node:crypto';

interface Addable {
  toSorted?: unknown;
  toReversed?: unknown;
  with?: unknown;
}

/** Node 18 in Electron 25 to 28 lacks what Node 20 has. */
function completeRuntime(): void {
  const scope = globalThis as { crypto?: unknown };
  scope.crypto ??= webcrypto;
  const array = Array.prototype as Addable;
  const define = (name: keyof Addable, value: (this: unknown[], ...args: never[]) => unknown): void => {
    if (array[name] === undefined)
      // oxlint-disable-next-line no-extend-native -- with just what the standard says
      Object.defineProperty(Array.prototype, name, { value, writable: true, configurable: true });
  };
  define('toSorted', function toSorted(compare?: (a: unknown, b: unknown) => number) {
    return [...this].sort(compare);
  });
  define('toReversed', function toReversed() {
    return [...this].reverse();
  });
  define('with', function replaced(index: number, value: unknown) {
    const copy = [...this];
    copy[index < 0 ? copy.length + index : index] = value;
    return copy;
  });
}

completeRuntime();
void import('./station-host.mjs' as string);
