// A model that was read -> where its tensors lie, in the model file and in its data files.
import { DATA_TYPES, type Model, type WeightRange, weightRanges } from '@kerf/onnx';
import type { TensorRange } from '../encode/source-files.ts';
import { kindOf } from '../format/element-kinds.ts';

/** Ranges of one file: '' is the model file, anything else the location of a data file. */
export type ModelLayout = ReadonlyMap<string, readonly TensorRange[]>;

/** Where elements of other types have the width, their differences still say something. */
const STAND_INS: Readonly<Record<string, string>> = {
  uint32: 'int32',
  uint16: 'int16',
  uint8: 'int8',
  bool: 'int8',
  uint4: 'int4',
};

/** Tensors of a model, by file, ascending; where two share bytes, the first one counts. */
export function modelLayout(model: Model): ModelLayout {
  const byFile = new Map<string, TensorRange[]>([['', []]]);
  for (const range of weightRanges(model)) {
    const location = range.external?.location ?? '';
    const place = placeOf(range);
    const tensor = tensorOf(range, place.offset, place.bytes);
    if (tensor === null) continue;
    const known = byFile.get(location);
    if (known === undefined) byFile.set(location, [tensor]);
    else known.push(tensor);
  }
  for (const [location, tensors] of byFile) byFile.set(location, withoutOverlaps(tensors));
  return byFile;
}

function placeOf({ span, external }: WeightRange): { offset: number; bytes: number } {
  if (span !== null) return { offset: span.start, bytes: span.end - span.start };
  return { offset: external?.offset ?? 0, bytes: external?.length ?? 0 };
}

function withoutOverlaps(tensors: readonly TensorRange[]): TensorRange[] {
  const sorted = [...tensors].sort((a, b) => a.offset - b.offset);
  let end = 0;
  return sorted.filter(({ offset, bytes }) => {
    if (offset < end) return false;
    end = offset + bytes;
    return true;
  });
}

/** Null for what has no elements of a fixed width. */
function tensorOf({ name, dataType, dims }: WeightRange, offset: number, bytes: number): TensorRange | null {
  const info = DATA_TYPES.get(dataType);
  if (info === undefined || info.bits === 0 || bytes === 0) return null;
  const kind = kindFor(info.name, info.bits, bytes);
  const bits = info.bits >= 32 ? 32 : kind.bits;
  const elements = (bytes * 8) / bits;
  const first = dims.length > 1 ? (dims[0] ?? 1) : 1;
  const rows = first > 0 && Number.isInteger(elements / first) ? first : 1;
  const elementBytes = (info.bits >= 8 ? Math.min(8, info.bits / 8) : 1) as 1 | 2 | 4 | 8;
  const isFloat = /float|bfloat/.test(info.name) && elementBytes > 1;
  const shape = `${info.name}[${dims.join(', ')}]`;
  const planes = bytes % elementBytes === 0 ? { elementBytes, isFloat } : { elementBytes: 1 as const, isFloat: false };
  return { name, offset, bytes, kind: kind.index, rows, columns: elements / rows, planes, shape };
}

function kindFor(name: string, bits: number, bytes: number): { index: number; bits: number } {
  const index = kindOf(STAND_INS[name] ?? name);
  if (index >= 0 && (bytes * 8) % bits === 0) return { index, bits };
  return bytes % 4 === 0 && bits >= 32 ? { index: kindOf('int32'), bits: 32 } : { index: kindOf('int8'), bits: 8 };
}
