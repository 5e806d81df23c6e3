// Numbers of a report -> the few characters that people read.

/** Milliseconds with one decimal below 100. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return '?';
  return Math.abs(ms) >= 99.95 ? ms.toFixed(0) : ms.toFixed(1);
}

/** `20 Mbit/s`, `1.5 Gbit/s`. */
export function formatRate(bitsPerSecond: number): string {
  if (!Number.isFinite(bitsPerSecond)) return '?';
  const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'];
  let step = 0;
  let rest = bitsPerSecond;
  // 999.5 kbit/s would print as 1000 kbit/s.
  while (rest >= 999.5 && step < units.length - 1) {
    rest /= 1000;
    step++;
  }
  return `${Number(rest.toFixed(rest >= 99.95 ? 0 : 1))} ${units[step]}`;
}

/** A figure that was set, not measured: `40 ms`, `2.5 ms`. */
export function formatSettingMs(ms: number): string {
  return `${Number(ms.toFixed(2))} ms`;
}

/** A rate that was calculated: two digits are all it is worth. */
export function formatAboutRate(bitsPerSecond: number): string {
  return `about ${formatRate(Number(bitsPerSecond.toPrecision(2)))}`;
}

/** How far apart two outputs are: 0, or two digits with an exponent where needed. */
export function formatDifference(value: number): string {
  if (!Number.isFinite(value)) return '?';
  if (value === 0) return '0';
  return value >= 0.001 ? value.toPrecision(2) : value.toExponential(1);
}

/** `1.4 times`, `31 times`. */
export function formatTimes(ratio: number): string {
  return `${ratio >= 9.95 ? ratio.toFixed(0) : ratio.toFixed(1)} times`;
}
