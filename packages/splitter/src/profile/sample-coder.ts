// Tensors of one frame -> how many bytes each takes without loss, as long as coding them does not eat the time to measure.
import { type Clock, encodeActivation, type Tensor } from '@kerf/protocol';

export class SampleCoder {
  readonly #clock: Clock;
  readonly #coded = new Map<string, number>();
  #leftMs: number;

  constructor(clock: Clock, budgetMs: number) {
    this.#clock = clock;
    this.#leftMs = budgetMs;
  }

  /** None for strings, for what is not there, and when the time is spent; a tensor is coded once. */
  bytesOf(name: string, tensor: Tensor | undefined): [name: string, bytes: number][] {
    const known = this.#coded.get(name);
    if (known !== undefined) return [[name, known]];
    if (tensor === undefined || tensor.dtype === 'string' || this.#leftMs <= 0) return [];
    const startMs = this.#clock.nowMs();
    const { bytes } = encodeActivation(tensor, { kind: 'lossless' });
    this.#leftMs -= this.#clock.nowMs() - startMs;
    this.#coded.set(name, bytes.byteLength);
    return [[name, bytes.byteLength]];
  }
}
