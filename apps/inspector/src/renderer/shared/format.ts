// Numbers with units -> text of a language.
import type { Language } from '../i18n/messages.tsx';

export const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', zh: 'zh-CN' };

/** By language and digits: to make one takes longer than to write a screen of numbers. */
const writers = new Map<string, Intl.NumberFormat>();

export function formatNumber(value: number, language: Language, digits = 0): string {
  const name = `${language} ${digits}`;
  let writer = writers.get(name);
  if (writer === undefined) {
    writer = new Intl.NumberFormat(LOCALES[language], { minimumFractionDigits: digits, maximumFractionDigits: digits });
    writers.set(name, writer);
  }
  return writer.format(value);
}

export function formatMs(value: number, language: Language): string {
  return `${formatNumber(value, language, value < 10 ? 1 : 0)} ms`;
}

export function formatShare(value: number, language: Language): string {
  const digits = value < 0.1 ? 1 : 0;
  return value.toLocaleString(LOCALES[language], { style: 'percent', maximumFractionDigits: digits });
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

export function formatBytes(value: number, language: Language): string {
  let size = value;
  let unit = 0;
  for (; size >= 1_000 && unit < UNITS.length - 1; unit++) size /= 1_000;
  return `${formatNumber(size, language, unit === 0 || size >= 100 ? 0 : 1)} ${UNITS[unit]}`;
}

export function formatTime(at: number | string, language: Language): string {
  return new Date(at).toLocaleTimeString(LOCALES[language], { hour12: false });
}

export function formatSpan(ms: number, language: Language): string {
  const minutes = Math.floor(ms / 60_000);
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor((minutes % 1_440) / 60)];
  const unit = (value: number, name: 'day' | 'hour' | 'minute') =>
    value.toLocaleString(LOCALES[language], { style: 'unit', unit: name, unitDisplay: 'short' });
  if (days > 0) return `${unit(days, 'day')} ${unit(hours, 'hour')}`;
  if (hours === 0) return unit(minutes, 'minute');
  return minutes % 60 === 0 ? unit(hours, 'hour') : `${unit(hours, 'hour')} ${unit(minutes % 60, 'minute')}`;
}

/** Scores as thresholds are given: three places. */
export function formatScore(value: number, language: Language): string {
  return formatNumber(value, language, 3);
}

/** Of a threshold: as fine as anybody sets one near to 0 or 1. */
export const THRESHOLD_DIGITS = 6;

/** As it was set: two that differ are not shown as one. */
export function formatThreshold(value: number, language: Language): string {
  const digits = { minimumFractionDigits: 3, maximumFractionDigits: THRESHOLD_DIGITS };
  return value.toLocaleString(LOCALES[language], digits);
}

/** Enough of a hash to tell versions apart; the full record has all of it. */
export function shortHash(hash: string): string {
  return /^[0-9a-f]{40,}$/.test(hash) ? `${hash.slice(0, 12)}…` : hash;
}

/** Day and time, for what happened some time ago. */
export function formatMoment(at: string, language: Language): string {
  return new Date(at).toLocaleString(LOCALES[language], {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  });
}

export function formatRate(bitsPerSecond: number, language: Language): string {
  const [value, unit] =
    bitsPerSecond >= 1e9
      ? [bitsPerSecond / 1e9, 'Gbit/s']
      : bitsPerSecond >= 1e6
        ? [bitsPerSecond / 1e6, 'Mbit/s']
        : [bitsPerSecond / 1e3, 'kbit/s'];
  return `${formatNumber(value, language, value < 10 ? 1 : 0)} ${unit}`;
}

/** One after the other; Chinese full stops bring their own space. */
export function sentences(parts: readonly string[], language: Language): string {
  return parts.filter((part) => part !== '').join(language === 'zh' ? '' : ' ');
}

/** Several things in one line, with the comma of the language. */
export function joined(parts: readonly string[], language: Language): string {
  return parts.join(language === 'zh' ? '，' : ', ');
}
