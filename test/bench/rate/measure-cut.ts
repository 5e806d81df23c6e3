// Held-out samples, a cut and its codecs -> rate and loss of each codec, every activation really coded.
import { type ActivationCodec, elementCount, type Tensor } from '@kerf/protocol';
import { CodedCut, pairedLoss, runHead, runTail, type Tally } from '@kerf/splitter';
import type { NamedCodec } from './calibrated.ts';
import type { OpenCut } from './cuts.ts';
import { orderZeroBits } from './entropy.ts';
import type { RateRow } from './result.ts';
import { inputsOf, type RateSample, type RateSubject } from './subjects.ts';

/** Frames whose entropy is taken. */
const ENTROPY_FRAMES = 40;

/** @param whole tallies of the whole model on the same samples, in the same order */
export async function measureCut(
  subject: RateSubject,
  cut: OpenCut,
  codecs: readonly NamedCodec[],
  samples: readonly RateSample[],
  whole: readonly Tally[],
): Promise<RateRow[]> {
  const ways = codecs.map((codec) => new Way(codec));
  for (const { picture, label } of samples) {
    const front = await runHead(cut.split, inputsOf(subject, picture));
    for (const way of ways) {
      const arrived = way.send(front.crossing);
      if (way.isLossless) {
        for (const [name, { data }] of front.crossing) {
          if (Buffer.compare(arrived.get(name)!.data, data) !== 0) throw new TypeError('a lossless codec lost');
        }
        way.tallies.push(whole[way.tallies.length]!);
        continue;
      }
      const outputs = await runTail(cut.split, front, arrived);
      way.tallies.push(subject.metric.tally({ label, outputs, reference: new Map() }));
    }
  }
  return ways.map((way) => way.row(cut, subject, whole));
}

/** One codec on its way through the samples. */
class Way {
  readonly tallies: Tally[] = [];
  readonly #named: NamedCodec;
  readonly #coded: CodedCut;
  #entropyBits = 0;
  #entropyFrames = 0;

  constructor(named: NamedCodec) {
    this.#named = named;
    this.#coded = new CodedCut((name) => this.#codecOf(name));
  }

  get isLossless(): boolean {
    return [...this.#named.codecs.values()].every(({ kind }) => kind === 'raw' || kind === 'lossless');
  }

  send(crossing: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const arrived = this.#coded.send(crossing);
    if (this.#coded.traffic.frames <= ENTROPY_FRAMES) this.#addEntropy(crossing, arrived);
    return arrived;
  }

  row(cut: OpenCut, { metric }: RateSubject, whole: readonly Tally[]): RateRow {
    const { bytes, frames, values } = this.#coded.traffic;
    const total = [...bytes.values()].reduce((sum, one) => sum + one, 0);
    const { lossPoints, lossInterval } = pairedLoss(metric, whole, this.tallies);
    return {
      label: this.#named.label,
      family: this.#named.family,
      cut: cut.tensors,
      bytesPerFrame: total / frames,
      bitsPerValue: (8 * total) / values,
      entropyBits: this.#entropyFrames === 0 ? null : this.#entropyBits / this.#entropyFrames,
      times: null,
      browser: null,
      lossPoints,
      lossInterval,
    };
  }

  #codecOf(name: string): ActivationCodec {
    return this.#named.codecs.get(name) ?? { kind: 'raw' };
  }

  #addEntropy(crossing: ReadonlyMap<string, Tensor>, arrived: ReadonlyMap<string, Tensor>): void {
    let bits = 0;
    let values = 0;
    for (const [name, tensor] of crossing) {
      const perValue = orderZeroBits(tensor, arrived.get(name)!, this.#codecOf(name));
      if (perValue === null) return;
      bits += perValue * elementCount(tensor.shape);
      values += elementCount(tensor.shape);
    }
    this.#entropyBits += bits / values;
    this.#entropyFrames++;
  }
}
