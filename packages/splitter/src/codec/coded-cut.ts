// The tensors of a cut and their codecs -> the tensors as the other side gets them, really coded, and what crossed.
import {
  type ActivationCodec,
  decodeActivation,
  type EncodeOptions,
  elementCount,
  encodeActivation,
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
}

/** Sends tensors through their codecs and counts. */
export class CodedCut {
  private readonly bytes = new Map<string, number>();
  private frames = 0;
  private values = 0;
  private nonFinite = 0;
  private readonly codecFor: (name: string, tensor: Tensor) => ActivationCodec;
  private readonly options: EncodeOptions;

  constructor(codecFor: (name: string, tensor: Tensor) => ActivationCodec, options: EncodeOptions = {}) {
    this.codecFor = codecFor;
    this.options = options;
  }

  /**
   * The tensors of one frame as they arrive.
   * @throws {KerfError} ACTIVATION_NOT_FINITE, TENSOR_MISMATCH when a tensor is not one that its codec is for.
   */
  send(tensors: TensorMap): Map<string, Tensor> {
    this.frames++;
    return new Map([...tensors].map(([name, tensor]) => [name, this.sendOne(name, tensor)]));
  }

  get traffic(): CutTraffic {
    const { frames, bytes, values, nonFinite } = this;
    return { frames, bytes, values, nonFinite };
  }

  private sendOne(name: string, tensor: Tensor): Tensor {
    const codec = this.codecFor(name, tensor);
    const coded = encodeActivation(tensor, codec, this.options);
    this.bytes.set(name, (this.bytes.get(name) ?? 0) + coded.bytes.byteLength);
    this.values += elementCount(tensor.shape);
    this.nonFinite += coded.nonFinite;
    const { dtype, shape } = tensor;
    if (coded.codec.kind === 'raw') return tensor;
    const tables = new Map(codec.kind === 'levels' ? [[codec.table.id, codec.table]] : []);
    return decodeActivation({ codec: coded.codec, dtype, shape, bytes: coded.bytes }, tables, tensor.data.byteLength);
  }
}
