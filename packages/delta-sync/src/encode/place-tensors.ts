// Files -> their tensors, each with where it lies, the hash of its bytes and a sketch of its elements.
import { joinedReader } from '../byte-reader.ts';
import type { MakeHasher } from '../hash.ts';
import { type Sketch, SketchMaker } from './sketch.ts';
import type { SourceFile, TensorRange } from './source-files.ts';

/** A tensor and where it lies when all files stand one behind the other. */
export interface PlacedTensor extends TensorRange {
  /** In all files together. */
  readonly place: number;
  /** Of its bytes. */
  readonly hash: string;
  /** Of its elements; null of a tensor that is too small for one. */
  readonly sketch: Sketch | null;
}

/** Smaller ones are found as text. */
export const LEAST_TENSOR_BYTES = 16;

const PIECE_BYTES = 1024 * 1024;

/** Tensors of all files, hashed and sketched. */
export async function placeTensors(files: readonly SourceFile[], makeHasher: MakeHasher): Promise<PlacedTensor[]> {
  const reader = joinedReader(files.map((file) => file.reader));
  const placed: PlacedTensor[] = [];
  let start = 0;
  for (const file of files) {
    for (const tensor of file.tensors) {
      if (tensor.bytes < LEAST_TENSOR_BYTES) continue;
      const place = start + tensor.offset;
      const hasher = makeHasher();
      const maker = new SketchMaker(tensor);
      for (let at = 0; at < tensor.bytes; at += PIECE_BYTES) {
        const piece = await reader.read(place + at, Math.min(PIECE_BYTES, tensor.bytes - at));
        hasher.update(piece);
        maker.add(at, piece);
      }
      placed.push({ ...tensor, place, hash: hasher.hex(), sketch: maker.sketch() });
    }
    start += file.reader.byteLength;
  }
  return placed;
}
