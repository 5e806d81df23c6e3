// A value that a caller gives for an option -> the value, or what it must be instead.
import { KerfError } from '@kerf/protocol';

/** Limits that may be zero; every other one is at least 1. */
const MAY_BE_ZERO = new Set<string>([
  'idleUnloadMs',
  'workerSpoolBytes',
  'resumeWindowMs',
  'warmUpMs',
  'maxWorkerRssBytes',
  'maxDelayMs',
  'tolerance',
]);
/** Limits that need not be whole; each may be zero. */
const FRACTIONS = new Set<string>(['tolerance', 'maxDelayMs', 'maxTimeShare', 'maxWorkerGrowth']);
/** Timers of Node hold 31 bits of milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** `defaults` with what is `given`, each checked: whole numbers, but for delays and tolerances. */
export function numbers<T extends object>(defaults: T, given: Partial<T>, where: string): T {
  knownKeys(given, Object.keys(defaults), where);
  const merged: Record<string, unknown> = Object.fromEntries(Object.entries(defaults));
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const least = MAY_BE_ZERO.has(key) ? 0 : 1;
    const most = key.endsWith('Ms') ? MAX_TIMER_MS : Number.MAX_SAFE_INTEGER;
    if (FRACTIONS.has(key)) {
      if (typeof value !== 'number' || !(value >= 0) || value > most) throw invalid(`${where}.${key}`, 'a number >= 0');
      merged[key] = value;
    } else {
      merged[key] = whole(value, `${where}.${key}`, least, most);
    }
  }
  return Object.freeze(merged) as T;
}

export function knownKeys(value: object | undefined, known: readonly string[], where: string): void {
  if (typeof value !== 'object' || value === null) throw invalid(where, 'an object');
  const stray = Object.keys(value).find((key) => !known.includes(key));
  if (stray !== undefined) {
    throw new KerfError('INVALID_ARGUMENT', `unknown option '${stray}' in ${where}; known are ${known.join(', ')}`);
  }
}

export function text(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(name, 'a text');
  return value;
}

export function texts(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value)) throw invalid(name, 'a list of texts');
  return value.map((entry) => text(entry, name));
}

export function flag(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw invalid(name, 'true or false');
  return value;
}

export function whole(value: unknown, name: string, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw invalid(name, `a whole number from ${least} to ${most}`);
  }
  return value as number;
}

export function invalid(name: string, wanted: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', `option '${name}' must be ${wanted}`);
}
