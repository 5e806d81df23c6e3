// Outputs of a run -> payloads for an edge that takes lossless answers: coded where that saves enough.
import { encodeActivation, type PayloadCodec, type Tensor } from '@kerf/protocol';

/** Smaller outputs fit a packet or two as they are. */
const LEAST_BYTES = 1024;
/** Share of the bytes that coding must save to be worth the time on both sides. */
const LEAST_SAVING = 0.1;
/** After it did not pay, an output is sent raw this many times before it is tried again. */
const RAW_AFTER_FAILURE = 31;

const RAW = { codec: { kind: 'raw' } } as const;

export class AnswerCoder {
  /** Runs for which an output stays raw, by name. */
  readonly #raw = new Map<string, number>();

  code(name: string, tensor: Tensor): { readonly codec: PayloadCodec; readonly bytes: Uint8Array } {
    const { data } = tensor;
    const wait = this.#raw.get(name) ?? 0;
    if (data.byteLength < LEAST_BYTES || wait > 0) {
      if (wait > 0) this.#raw.set(name, wait - 1);
      return { ...RAW, bytes: data };
    }
    const { codec, bytes } = encodeActivation(tensor, { kind: 'lossless' });
    if (bytes.byteLength <= data.byteLength * (1 - LEAST_SAVING)) return { codec, bytes };
    this.#raw.set(name, RAW_AFTER_FAILURE);
    return { ...RAW, bytes: data };
  }
}
