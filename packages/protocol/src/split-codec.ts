// The codec in split.json: how each tensor of the cut is sent, and what calibration measured.
import type { ManifestFields, ManifestFile } from './manifest-fields.ts';

/** How one tensor of the cut is sent. */
export type TensorCodec =
  | { readonly kind: 'raw' | 'lossless' | 'float16' }
  | { readonly kind: 'uint8'; readonly channelAxis: number | null }
  /** The level table, a file beside split.json; its id is the file's SHA-256. */
  | { readonly kind: 'levels'; readonly table: ManifestFile };

/** What calibration measured on samples. Points are those of the metric, 100 being the best. */
export interface CodecCalibration {
  /** Name of the metric, such as `pixel AUROC`. */
  readonly metric: string;
  readonly samples: number;
  /** Metric of the whole model. */
  readonly wholePoints: number;
  /** How many points the codec costs; below 0 when it gains. */
  readonly lossPoints: number;
  /** 95 % interval of the loss. */
  readonly lossInterval: readonly [low: number, high: number];
  /** Loss that was allowed. */
  readonly maxLossPoints: number;
  /** Bits of all payloads of a frame over their elements. */
  readonly bitsPerValue: number;
  /** Bytes of all payloads of a frame, on average. */
  readonly bytesPerFrame: number;
}

export type SplitCodec =
  | { readonly kind: 'raw' }
  | {
      readonly kind: 'coded';
      /** Tensors of the cut that are not listed are sent raw. */
      readonly tensors: readonly { readonly name: string; readonly codec: TensorCodec }[];
      /** Null when the codec was chosen by hand. */
      readonly calibration: CodecCalibration | null;
    };

/** @throws {KerfError} MANIFEST_INVALID naming the first field that is wrong. */
export function parseSplitCodec(value: unknown, cut: readonly string[], fields: ManifestFields): SplitCodec {
  const codec = fields.record(value, 'codec');
  if (codec['kind'] === 'raw') return { kind: 'raw' };
  if (codec['kind'] !== 'coded') throw fields.invalid('codec.kind', "'raw' or 'coded'");
  const seen = new Set<string>();
  const tensors = fields.list(codec['tensors'], 'codec.tensors').map((item) => {
    const tensor = fields.record(item, 'codec.tensors');
    const name = fields.text(tensor['name'], 'codec.tensors.name');
    if (!cut.includes(name) || seen.has(name)) throw fields.invalid('codec.tensors.name', 'a tensor of the cut, once');
    seen.add(name);
    return { name, codec: tensorCodec(tensor['codec'], fields) };
  });
  return { kind: 'coded', tensors, calibration: calibration(codec['calibration'] ?? null, fields) };
}

/** The level tables of a codec, each file once. */
export function tableFilesOf(codec: SplitCodec): ManifestFile[] {
  if (codec.kind === 'raw') return [];
  const files = new Map<string, ManifestFile>();
  for (const tensor of codec.tensors) {
    if (tensor.codec.kind === 'levels') files.set(tensor.codec.table.file, tensor.codec.table);
  }
  return [...files.values()];
}

function tensorCodec(value: unknown, fields: ManifestFields): TensorCodec {
  const at = 'codec.tensors.codec';
  const codec = fields.record(value, at);
  const { kind } = codec;
  if (kind === 'raw' || kind === 'lossless' || kind === 'float16') return { kind };
  if (kind === 'levels') return { kind, table: fields.file(codec['table'], `${at}.table`) };
  if (kind !== 'uint8') throw fields.invalid(`${at}.kind`, 'raw, lossless, float16, uint8 or levels');
  const axis = codec['channelAxis'] ?? null;
  return { kind, channelAxis: axis === null ? null : fields.size(axis, `${at}.channelAxis`) };
}

function calibration(value: unknown, fields: ManifestFields): CodecCalibration | null {
  if (value === null) return null;
  const at = 'codec.calibration';
  const record = fields.record(value, at);
  const number = (key: string): number => fields.number(record[key], `${at}.${key}`);
  const interval = fields.list(record['lossInterval'], `${at}.lossInterval`);
  if (interval.length !== 2) throw fields.invalid(`${at}.lossInterval`, 'two numbers');
  const [low, high] = interval;
  return {
    metric: fields.text(record['metric'], `${at}.metric`),
    samples: fields.size(record['samples'], `${at}.samples`),
    wholePoints: fields.signed(record['wholePoints'], `${at}.wholePoints`),
    lossPoints: fields.signed(record['lossPoints'], `${at}.lossPoints`),
    lossInterval: [fields.signed(low, `${at}.lossInterval`), fields.signed(high, `${at}.lossInterval`)],
    maxLossPoints: number('maxLossPoints'),
    bitsPerValue: number('bitsPerValue'),
    bytesPerFrame: number('bytesPerFrame'),
  };
}
