// What the encoder is given: files to read, and where tensors lie in them. Nothing here depends on ONNX.
import type { ByteReader } from '../byte-reader.ts';
import type { PlaneLayout } from '../codec/planes.ts';

/** A tensor as a range of bytes of a file. */
export interface TensorRange {
  /** Empty where it has none. */
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  /** Index into ELEMENT_KINDS of what its elements are, or may be taken for. */
  readonly kind: number;
  /** The first dimension, and the product of the others. */
  readonly rows: number;
  readonly columns: number;
  /** How its bytes are best told apart when there is no old tensor. */
  readonly planes: PlaneLayout;
  /** `float32[64, 3, 3, 3]`, for reports and for finding its counterpart. */
  readonly shape: string;
}

/** A file of the base or the target. */
export interface SourceFile {
  readonly name: string;
  readonly reader: ByteReader;
  /** Hex SHA-256. */
  readonly sha256: string;
  /** Ascending, none across another; empty for a file of an unknown kind. */
  readonly tensors: readonly TensorRange[];
  /** What lies between the tensors is worth keeping as a dictionary: the structure of a model. */
  readonly isModel: boolean;
}
