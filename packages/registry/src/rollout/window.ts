// A window of the week and a time -> whether it is open.
import type { OfferWindow } from './spec.ts';

const DAY_MS = 24 * 3600_000;
const DAY_NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const MAX_FORMATS = 64;
const formats = new Map<string, Intl.DateTimeFormat>();

/** @param nowMs since 1970 */
export function isWindowOpen(window: OfferWindow | null, nowMs: number): boolean {
  if (window === null) return true;
  const { day, minute } = localTime(window.timeZone, nowMs);
  const { fromMinute, toMinute, days } = window;
  if (fromMinute < toMinute) return days.includes(day) && minute >= fromMinute && minute < toMinute;
  if (minute >= fromMinute) return days.includes(day);
  // Behind midnight: it opened the day before.
  return minute < toMinute && days.includes(localTime(window.timeZone, nowMs - DAY_MS).day);
}

function localTime(timeZone: string, nowMs: number): { day: number; minute: number } {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(nowMs)
      .map(({ type, value }) => [type, value]),
  );
  return {
    day: DAY_NAMES.indexOf(parts.get('weekday') ?? '') + 1,
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  if (formats.size >= MAX_FORMATS) formats.clear();
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  formats.set(timeZone, made);
  return made;
}
