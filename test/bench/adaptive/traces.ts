// Seeds -> links that change over time: steps, ramps, outages, a Markov chain of radio conditions, a crowded cloud.
import { type Random, seededRandom } from '@kerf/protocol';

/** What holds for a second. */
export interface Second {
  /** 0: nothing moves, and nobody is told. */
  readonly bitsPerSecond: number;
  readonly roundTripMs: number;
  /** What a frame waits in the cloud, on average. */
  readonly queueMs: number;
}

export interface Trace {
  readonly name: string;
  readonly seconds: readonly Second[];
}

const LENGTH_S = 240;

export function traces(seed: number): Trace[] {
  return [steady(), steps(), ramp(), outages(seededRandom(seed + 1)), mobile(seededRandom(seed + 2)), crowded()];
}

function build(name: string, at: (second: number) => Partial<Second>): Trace {
  const seconds = Array.from({ length: LENGTH_S }, (_, second) => {
    return { bitsPerSecond: 8e6, roundTripMs: 30, queueMs: 1, ...at(second) };
  });
  return { name, seconds };
}

/** Nothing changes: what remains is the price of looking. */
function steady(): Trace {
  return build('steady 4 Mbit/s', () => ({ bitsPerSecond: 4e6 }));
}

function steps(): Trace {
  const rates = [20e6, 2e6, 50e6, 0.4e6, 8e6, 1e6, 100e6, 3e6];
  return build('steps of 0.4 to 100 Mbit/s, 30 s each', (second) => ({
    bitsPerSecond: rates[Math.floor(second / 30) % rates.length] as number,
  }));
}

/** Down from 50 to 0.3 Mbit/s and back, evenly in the logarithm. */
function ramp(): Trace {
  return build('ramp between 0.3 and 50 Mbit/s', (second) => {
    const share = Math.abs(1 - (2 * second) / LENGTH_S);
    return { bitsPerSecond: 0.3e6 * (50 / 0.3) ** share };
  });
}

/** 20 Mbit/s with black holes of 3 to 10 s, 20 to 40 s apart. */
function outages(random: Random): Trace {
  let next = 15;
  let end = 0;
  return build('20 Mbit/s with outages of 3 to 10 s', (second) => {
    if (second >= next) {
      end = second + 3 + Math.floor(8 * random());
      next = end + 20 + Math.floor(21 * random());
    }
    return { bitsPerSecond: second < end ? 0 : 20e6 };
  });
}

/** Mean rate in Mbit/s, round trip, mean stay in seconds. */
const CONDITIONS = [
  { megabits: 40, roundTripMs: 35, stayS: 20 },
  { megabits: 12, roundTripMs: 45, stayS: 15 },
  { megabits: 3, roundTripMs: 60, stayS: 12 },
  { megabits: 0.7, roundTripMs: 90, stayS: 8 },
  { megabits: 0, roundTripMs: 90, stayS: 3 },
] as const;

/** Radio conditions as a Markov chain, mostly to the neighbouring one; rates vary by 30 % from second to second within one. */
function mobile(random: Random): Trace {
  let condition = 1;
  return build('mobile, a Markov chain of five conditions', () => {
    const { megabits, roundTripMs, stayS } = CONDITIONS[condition] ?? CONDITIONS[1];
    const gauss = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const second = { bitsPerSecond: megabits * 1e6 * Math.exp(0.3 * gauss - 0.045), roundTripMs };
    if (random() < 1 / stayS) {
      const step = random() < 0.5 ? -1 : 1;
      condition =
        condition === CONDITIONS.length - 1 ? 2 : Math.max(0, Math.min(CONDITIONS.length - 1, condition + step));
    }
    return second;
  });
}

/** Every other half minute a frame waits 250 ms in the cloud. */
function crowded(): Trace {
  return build('20 Mbit/s, the cloud crowded every other 30 s', (second) => ({
    bitsPerSecond: 20e6,
    queueMs: Math.floor(second / 30) % 2 === 1 ? 250 : 1,
  }));
}
