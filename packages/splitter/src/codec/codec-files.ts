// Codecs with their level tables in memory -> as split.json names them, and the files that go beside it.
import { type ActivationCodec, KerfError, type TensorCodec } from '@kerf/protocol';
import type { MeasuredCodec } from './calibration.ts';

export interface CodecFiles {
  readonly tensors: readonly { readonly name: string; readonly codec: TensorCodec }[];
  /** Bytes by file name. */
  readonly tables: ReadonlyMap<string, Uint8Array>;
}

export function codecFiles({ codecs, tables }: Pick<MeasuredCodec, 'codecs' | 'tables'>): CodecFiles {
  return {
    tensors: [...codecs].map(([name, codec]) => ({ name, codec: named(codec, tables) })),
    tables: new Map([...tables].map(([id, bytes]) => [levelTableFile(id), bytes])),
  };
}

/** A table has the same name wherever it is. */
function levelTableFile(id: string): string {
  return `levels-${id.slice(0, 16)}.klt`;
}

function named(codec: ActivationCodec, tables: ReadonlyMap<string, Uint8Array>): TensorCodec {
  if (codec.kind !== 'levels') return codec;
  const { id } = codec.table;
  const bytes = tables.get(id);
  if (bytes === undefined) throw new KerfError('INTERNAL', `level table ${id} has no file`);
  return { kind: 'levels', table: { file: levelTableFile(id), sha256: id, bytes: bytes.byteLength } };
}
