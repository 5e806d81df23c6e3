// The tensors of a cut and their codecs -> the tensors as the other side gets them, really coded, and what crossed.
import {
  type ActivationCodec,
  type Clock,
  decodeActivation,
  type EncodeOptions,
  elementCount,
  encodeActivation,
  systemClock,
  type Tensor,
  type TensorMap,
} from '@kerf/protocol';

/** What crossed of a set of frames. */
export interface CutTraffic {
  readonly frames: number;
  /** Payload bytes by tensor. */
  readonly bytes: ReadonlyMap<string, number>;
  /** Elements of all tensors. */
  readonly values: number;
  /** NaN and infinite ones among the elements that a lossy codec looked at. */
  readonly nonFinite: number;
  /** Median of a frame, all tensors one after the other; 0 of none. */
  readonly encodeMs: number;
  readonly decodeMs: number;
}

/** Sends tensors through their codecs, and counts. */
export class CodedCut {
  private readonly bytes = new Map<string, number>();
  private frames = 0;
  private values = 0;
  private nonFinite = 0;
  private readonly encodeTimes: number[] = [];
  private readonly decodeTimes: number[] = [];
  private readonly codecFor: (name: string, tensor: Tensor) => ActivationCodec;
  private readonly options: EncodeOptions;
  private readonly clock: Clock;

  constructor(
    codecFor: (name: string, tensor: Tensor) => ActivationCodec,
    options: EncodeOptions = {},
    clock: Clock = systemClock,
  ) {
    this.codecFor = codecFor;
    this.options = options;
    this.clock = clock;
  }

  /**
   * The tensors of one frame as they arrive.
   * @throws {KerfError} ACTIVATION_NOT_FINITE, TENSOR_MISMATCH when a tensor is not one that its codec is for.
   */
  send(tensors: TensorMap): Map<string, Tensor> {
    const startMs = this.clock.nowMs();
    const payloads = [...tensors].map(([name, tensor]) => this.encode(name, tensor));
    const sentMs = this.clock.nowMs();
    const arrived = new Map(payloads.map((payload) => [payload.name, payload.decode()]));
    this.frames++;
    this.encodeTimes.push(sentMs - startMs);
    this.decodeTimes.push(this.clock.nowMs() - sentMs);
    return arrived;
  }

  get traffic(): CutTraffic {
    const { frames, bytes, values, nonFinite, encodeTimes, decodeTimes } = this;
    return { frames, bytes, values, nonFinite, encodeMs: median(encodeTimes), decodeMs: median(decodeTimes) };
  }

  private encode(name: string, tensor: Tensor): { name: string; decode(): Tensor } {
    const codec = this.codecFor(name, tensor);
    const coded = encodeActivation(tensor, codec, this.options);
    this.bytes.set(name, (this.bytes.get(name) ?? 0) + coded.bytes.byteLength);
    this.values += elementCount(tensor.shape);
    this.nonFinite += coded.nonFinite;
    const { dtype, shape, data } = tensor;
    const tables = new Map(codec.kind === 'levels' ? [[codec.table.id, codec.table]] : []);
    return { name, decode: () => decodeActivation({ ...coded, dtype, shape }, tables, data.byteLength) };
  }
}

function median(times: readonly number[]): number {
  return [...times].sort((left, right) => left - right)[times.length >> 1] ?? 0;
}
