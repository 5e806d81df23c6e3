// A range of values -> round ticks, and places on an axis as percentages that stretch with the page.

/** 0 and four to six round numbers, the last not below `most`. */
export function linearTicks(most: number): number[] {
  if (!(most > 0) || !Number.isFinite(most)) return [0, 1];
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, at) => at * step);
}

export function formatTick(tick: number): string {
  return String(Number(tick.toPrecision(6)));
}

/** 0 to 1 as `12.34%`; what is outside goes to the nearer end. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '0%';
  return `${Number((Math.min(1, Math.max(0, share)) * 100).toFixed(2))}%`;
}

export interface LogScale {
  readonly least: number;
  readonly most: number;
  readonly ticks: readonly number[];
  /** Place of a value between the ends, 0 to 1; what is outside goes to the nearer end. */
  readonly share: (value: number) => number;
}

/** A logarithmic axis around the positive ones of the values: its ends are of the form 1, 2 or 5 times a power of ten. */
export function logScale(values: Iterable<number>): LogScale {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const value of values) {
    if (!(value > 0) || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (high === 0) [low, high] = [1, 10];
  const steps = roundNumbers(low, high);
  const least = steps[0] ?? low;
  const most = steps.at(-1) ?? high;
  const span = Math.log10(most / least);
  const share = (value: number): number =>
    value <= least ? 0 : Math.min(1, Math.log10(value / least) / (span > 0 ? span : 1));
  return { least, most, ticks: span > 1.8 ? wholePowers(steps) : steps, share };
}

/** 1, 2 and 5 times powers of ten from the last not above `low` to the first not below `high`: two of them at least. */
function roundNumbers(low: number, high: number): number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)) + 1; power++) {
    for (const factor of [1, 2, 5]) found.push(Number(`${factor}e${power}`));
  }
  const first = Math.max(
    0,
    found.findLastIndex((value) => value <= low * (1 + 1e-9)),
  );
  const last = found.findIndex((value) => value >= high * (1 - 1e-9));
  return found.slice(first, Math.max(last, first + 1) + 1);
}

function wholePowers(steps: readonly number[]): number[] {
  return steps.filter((step) => step.toExponential().startsWith('1e'));
}
