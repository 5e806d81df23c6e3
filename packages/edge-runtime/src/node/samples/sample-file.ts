// A kept part <-> its JSON file: the record, why it was kept, its embedding and its label.
import { KerfError } from '@kerf/protocol';
import type { Embedding } from '../../samples/embedding.ts';
import type { KeepReason } from '../../samples/keep-reasons.ts';
import type { ResultRecord } from '../../station/result-record.ts';

export const SAMPLE_FORMAT = 'kerf-sample/1';

export interface SampleMark {
  readonly name: string;
  /** Who said so: the caller's name. */
  readonly by: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** One kept part. */
export interface Sample {
  /** Sorts by time; letters, digits and dashes. */
  readonly id: string;
  /** Name of the picture's file in the same folder. */
  readonly file: string;
  /** Of both files. */
  readonly bytes: number;
  /** Of the picture, in pixels; 0 where it cannot be decoded. */
  readonly width: number;
  readonly height: number;
  readonly reasons: readonly KeepReason[];
  readonly record: ResultRecord;
  /** Null where no head could be run. */
  readonly embedding: Embedding | null;
  readonly label: SampleMark | null;
}

/** By the ending of the picture's file. */
export function sampleFormat({ file }: Pick<Sample, 'file'>): 'png' | 'jpeg' | 'webp' {
  if (file.endsWith('.jpg')) return 'jpeg';
  return file.endsWith('.webp') ? 'webp' : 'png';
}

/** @param sample its `bytes` count what is written here, and are not in it */
export function sampleText({
  id,
  file,
  width,
  height,
  reasons,
  label,
  record,
  embedding,
}: Omit<Sample, 'bytes'>): string {
  const coded = embedding === null ? null : { ...embedding, values: base64(embedding.values) };
  const value = { format: SAMPLE_FORMAT, id, file, width, height, reasons, label, record, embedding: coded };
  return `${JSON.stringify(value, null, 1)}\n`;
}

function base64({ buffer, byteOffset, byteLength }: Int8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

interface SampleJson extends Partial<Omit<Sample, 'embedding'>> {
  readonly format?: string;
  readonly embedding?: { readonly cells?: number; readonly scale?: number; readonly values?: string } | null;
}

/** @throws {KerfError} SAMPLES_UNUSABLE for what this program did not write. */
export function readSample(text: string, bytes: number): Sample {
  const value = JSON.parse(text) as SampleJson;
  const { format, id, file, width = 0, height = 0, reasons, record, label = null } = value;
  const isWhole = id !== undefined && file !== undefined && Array.isArray(reasons) && record !== undefined;
  if (format !== SAMPLE_FORMAT || !isWhole || !/^[\w-]+\.\w+$/.test(file)) {
    throw new KerfError('SAMPLES_UNUSABLE', `not a ${SAMPLE_FORMAT} file`);
  }
  return { id, file, bytes, width, height, reasons, record, label, embedding: readEmbedding(value.embedding ?? null) };
}

function readEmbedding(coded: NonNullable<SampleJson['embedding']> | null): Embedding | null {
  if (coded === null) return null;
  const { cells = 0, scale = 0, values = '' } = coded;
  const decoded = Int8Array.from(Buffer.from(values, 'base64'), (byte) => (byte << 24) >> 24);
  return cells > 0 && decoded.length % cells === 0 ? { cells, scale, values: decoded } : null;
}
