// Hours in which a station may be changed -> whether it may be now.
import { KerfError } from '@kerf/protocol';

/** `from` and `to` in minutes of the day, local time; over midnight when `to` is before `from`. */
export interface MaintenanceWindow {
  readonly fromMinute: number;
  readonly toMinute: number;
  /** 0 is Sunday; the day on which the window opens. Empty: every day. */
  readonly days: readonly number[];
}

const DAY_NAMES = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAY_MINUTES = 24 * 60;

/** @param text `22:00-05:30`, or `sat,sun 00:00-24:00` @throws {KerfError} INVALID_ARGUMENT. */
export function parseMaintenanceWindow(text: string): MaintenanceWindow {
  const match = /^(?:([a-z]{3}(?:,[a-z]{3})*) )?(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text);
  const wrong = (): KerfError =>
    new KerfError(
      'INVALID_ARGUMENT',
      `a maintenance window is written '22:00-05:30' or 'sat,sun 08:00-12:00', got '${text}'`,
    );
  if (match === null) throw wrong();
  const minute = (hours: string | undefined, minutes: string | undefined): number =>
    Number(hours) * 60 + Number(minutes);
  const [fromMinute, toMinute] = [minute(match[2], match[3]), minute(match[4], match[5])];
  const days = (match[1]?.split(',') ?? []).map((name) => DAY_NAMES.indexOf(name));
  if (Number(match[3]) > 59 || Number(match[5]) > 59 || days.includes(-1)) throw wrong();
  if (fromMinute >= DAY_MINUTES || toMinute > DAY_MINUTES || fromMinute === toMinute) throw wrong();
  return { fromMinute, toMinute, days };
}

/** @param local the device's local time: day of the week, and minute of the day */
export function isInWindow(
  { fromMinute, toMinute, days }: MaintenanceWindow,
  local: { readonly day: number; readonly minute: number },
): boolean {
  const opensOn = (day: number): boolean => days.length === 0 || days.includes(day);
  if (fromMinute < toMinute) return opensOn(local.day) && local.minute >= fromMinute && local.minute < toMinute;
  if (local.minute >= fromMinute) return opensOn(local.day);
  return local.minute < toMinute && opensOn((local.day + 6) % 7);
}
