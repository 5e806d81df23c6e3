// How old a picture is -> what is said of it, and when to look again.

/** A picture that is no older needs no mark: none of more than 100 ms may be without, and painting takes its time. */
export const NEW_MS = 60;

export interface AgeMark {
  /** Null while the picture is new. */
  readonly text: string | null;
  /** The mark is right for so long. */
  readonly holdsMs: number;
}

/** @param ageMs at most what it is, never less */
export function ageMark(ageMs: number, locale: string): AgeMark {
  if (ageMs <= NEW_MS) return { text: null, holdsMs: NEW_MS - ageMs };
  const say = (value: number, unit: 'second' | 'minute' | 'hour', digits: number): string =>
    value.toLocaleString(locale, {
      style: 'unit',
      unit,
      unitDisplay: 'narrow',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  const seconds = ageMs / 1_000;
  if (seconds < 10) return { text: say(Math.ceil(seconds * 10) / 10, 'second', 1), holdsMs: 500 };
  if (seconds < 60) return { text: say(Math.floor(seconds), 'second', 0), holdsMs: 1_000 };
  if (seconds < 3_600) return { text: say(Math.floor(seconds / 60), 'minute', 0), holdsMs: 10_000 };
  return { text: say(Math.floor(seconds / 3_600), 'hour', 0), holdsMs: 60_000 };
}
