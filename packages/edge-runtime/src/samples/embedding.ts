// Activations at a cut -> a small picture of them by which parts are compared, and how alike two of them are.
import { DTYPE_BITS, float16Value, type Tensor, typedView } from '@kerf/protocol';

/** Cells a side: a scratch changes one of them much, and the mean over a picture hardly at all. */
const GRID = 8;
/** Channels that are compared; of more, as many at even distances. */
const MOST_CHANNELS = 64;

export interface Embedding {
  readonly cells: number;
  /** What the largest of `values`, 127, stands for. */
  readonly scale: number;
  /** For each cell its channels: means of the activations, -127 to 127. */
  readonly values: Int8Array;
}

/**
 * Means over a grid of 8 x 8 cells, of the tensor with the most places: float or integer, [1, channel, height, width]; other
 * shapes count as one channel of 64 runs.
 * @returns null where no tensor holds numbers.
 */
export function embeddingOf(tensors: readonly Tensor[]): Embedding | null {
  const usable = tensors.filter(({ dtype, data }) => DTYPE_BITS[dtype] >= 8 && data.byteLength > 0);
  const [tensor] = usable.toSorted((a, b) => places(b) - places(a));
  if (tensor === undefined) return null;
  const values = numbersOf(tensor);
  const layout = layoutOf(tensor, values.length);
  const means = cellMeans(values, layout);
  const most = means.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return {
    cells: layout.rows * layout.columns,
    scale: most,
    values: Int8Array.from(means, (value) => (most === 0 ? 0 : Math.round((127 * value) / most))),
  };
}

/**
 * 1 less the largest difference in any cell, as a share of a cell's usual size: 1 for the same picture, 0 or less where one
 * cell has nothing in common. A defect in one place counts in full, however much of the picture is the same.
 * @param least stops as soon as it is known to be below this: then the answer is some value below it
 * @returns -1 for embeddings of different models.
 */
export function likenessOf(a: Embedding, b: Embedding, least = -1): number {
  if (a.cells !== b.cells || a.values.length !== b.values.length) return -1;
  const usual = (usualSize(a) + usualSize(b)) / 2;
  if (usual === 0) return 1;
  const [ofA, ofB] = [a.scale / 127, b.scale / 127];
  const channels = a.values.length / a.cells;
  let most = 0;
  for (let cell = 0; cell < a.cells; cell++) {
    let square = 0;
    for (let at = cell * channels; at < (cell + 1) * channels; at++) {
      const difference = (a.values[at] as number) * ofA - (b.values[at] as number) * ofB;
      square += difference * difference;
    }
    most = Math.max(most, Math.sqrt(square));
    if (1 - most / usual < least) break;
  }
  return 1 - most / usual;
}

/** Mean length of a cell's vector; computed once for each embedding. */
const sizes = new WeakMap<Embedding, number>();
function usualSize(embedding: Embedding): number {
  const known = sizes.get(embedding);
  if (known !== undefined) return known;
  const { cells, scale, values } = embedding;
  const channels = values.length / cells;
  let sum = 0;
  for (let cell = 0; cell < cells; cell++) {
    let square = 0;
    for (const value of values.subarray(cell * channels, (cell + 1) * channels)) square += value * value;
    sum += Math.sqrt(square);
  }
  const size = (sum / cells) * (scale / 127);
  sizes.set(embedding, size);
  return size;
}

function places({ shape }: Tensor): number {
  return shape.length === 4 ? (shape[2] as number) * (shape[3] as number) : 0;
}

interface Layout {
  readonly height: number;
  readonly width: number;
  readonly rows: number;
  readonly columns: number;
  /** Which channels are compared. */
  readonly channels: readonly number[];
}

function layoutOf(tensor: Tensor, length: number): Layout {
  const isImage = tensor.shape.length === 4 && tensor.shape[0] === 1;
  const [all, height, width] = isImage ? (tensor.shape.slice(1) as [number, number, number]) : [1, 1, length];
  const count = Math.min(all, MOST_CHANNELS);
  return {
    height,
    width,
    rows: Math.min(GRID, height),
    columns: Math.min(isImage ? GRID : GRID * GRID, width),
    channels: Array.from({ length: count }, (_, at) => Math.floor((at * all) / count)),
  };
}

function cellMeans(values: Float32Array, { height, width, rows, columns, channels }: Layout): Float32Array {
  const sums = new Float32Array(rows * columns * channels.length);
  const counts = new Float32Array(rows * columns);
  for (const [at, channel] of channels.entries()) {
    for (let y = 0; y < height; y++) {
      const row = Math.floor((y * rows) / height) * columns;
      for (let x = 0; x < width; x++) {
        const cell = row + Math.floor((x * columns) / width);
        const value = values[(channel * height + y) * width + x] as number;
        const place = cell * channels.length + at;
        if (Number.isFinite(value)) sums[place] = (sums[place] as number) + value;
        if (at === 0) counts[cell] = (counts[cell] as number) + 1;
      }
    }
  }
  return sums.map((sum, place) => sum / (counts[Math.floor(place / channels.length)] as number));
}

/** Any fixed-size dtype as float32; integers count from their least value, which stands for nothing. */
export function numbersOf(tensor: Tensor): Float32Array {
  const view = typedView(tensor) as ArrayLike<number | bigint>;
  const isHalf = tensor.dtype === 'float16';
  const values = Float32Array.from(view, (value) => (isHalf ? float16Value(Number(value)) : Number(value)));
  if (isHalf || tensor.dtype === 'float32' || tensor.dtype === 'float64') return values;
  const least = values.reduce((smallest, value) => Math.min(smallest, value), Number.POSITIVE_INFINITY);
  return values.map((value) => value - least);
}
