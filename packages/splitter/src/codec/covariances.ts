// Values at places -> how what levels say of channels goes together, and with the values that are wanted.

/** Values at places drawn from all samples; row after row a channel. */
export interface Places {
  readonly channels: number;
  readonly size: number;
  /** As they are, as their levels say, and the sum of the four around of what those say. */
  readonly wanted: Float32Array;
  readonly said: Float32Array;
  readonly around: Float32Array;
}

/** What there is to restore one channel from: sources 0 to `around` - 1 are the channels, `around` its own surroundings. */
export interface ChannelCovariances {
  readonly around: number;
  /** Variance of the channel. */
  readonly wanted: number;
  readonly wantedMean: number;
  /** Of each source with the channel. */
  readonly withWanted: Float64Array;
  readonly means: Float64Array;
  between(left: number, right: number): number;
}

export class Covariances {
  readonly #channels: number;
  readonly #said: Rows;
  readonly #wanted: Rows;
  readonly #around: Rows;
  readonly #between: Float64Array;

  constructor({ channels, size, wanted, said, around }: Places) {
    this.#channels = channels;
    this.#said = new Rows(said, channels, size);
    this.#wanted = new Rows(wanted, channels, size);
    this.#around = new Rows(around, channels, size);
    this.#between = new Float64Array(channels * channels);
    for (let left = 0; left < channels; left++) {
      for (let right = 0; right <= left; right++) {
        const product = this.#said.with(left, this.#said, right);
        this.#between[left * channels + right] = product;
        this.#between[right * channels + left] = product;
      }
    }
  }

  of(channel: number): ChannelCovariances {
    const around = this.#channels;
    const withWanted = new Float64Array(around + 1);
    const withAround = new Float64Array(around + 1);
    for (let source = 0; source < around; source++) {
      withWanted[source] = this.#said.with(source, this.#wanted, channel);
      withAround[source] = this.#said.with(source, this.#around, channel);
    }
    withWanted[around] = this.#around.with(channel, this.#wanted, channel);
    withAround[around] = this.#around.with(channel, this.#around, channel);
    const means = Float64Array.of(...this.#said.means, this.#around.means[channel] as number);
    return {
      around,
      wanted: this.#wanted.with(channel, this.#wanted, channel),
      wantedMean: this.#wanted.means[channel] as number,
      withWanted,
      means,
      between: (left, right) => {
        if (left === around) return withAround[right] as number;
        return (right === around ? withAround[left] : this.#between[left * around + right]) as number;
      },
    };
  }
}

/** Rows of values without their means. */
class Rows {
  readonly means: Float64Array;
  readonly #values: Float32Array;
  readonly #size: number;
  readonly #isConstant: Uint8Array;

  constructor(values: Float32Array, rows: number, size: number) {
    this.#values = values;
    this.#size = size;
    this.means = new Float64Array(rows);
    this.#isConstant = new Uint8Array(rows);
    for (let row = 0; row < rows; row++) {
      const all = values.subarray(row * size, (row + 1) * size);
      const isConstant = all.every((value) => value === all[0]);
      const mean = isConstant ? (all[0] as number) : all.reduce((sum, value) => sum + value, 0) / size;
      for (let at = 0; at < size; at++) all[at] = (all[at] as number) - mean;
      this.means[row] = mean;
      this.#isConstant[row] = isConstant ? 1 : 0;
    }
  }

  /** Covariance of a row with one of others; exactly 0 where one of them never changes. */
  with(row: number, others: Rows, other: number): number {
    if (this.#isConstant[row] === 1 || others.#isConstant[other] === 1) return 0;
    const from = row * this.#size;
    const otherFrom = other * this.#size;
    let sum = 0;
    for (let at = 0; at < this.#size; at++) {
      sum += (this.#values[from + at] as number) * (others.#values[otherFrom + at] as number);
    }
    return sum / this.#size;
  }
}
