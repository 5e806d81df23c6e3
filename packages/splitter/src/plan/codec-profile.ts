// What calibration measured of codecs at cuts of a model, as plain JSON: the types, and parsed JSON -> a checked profile.
import { KerfError, type ManifestFile, type TensorCodec } from '@kerf/protocol';
import { type CodingSpeeds, codingSpeeds } from './coding-speed.ts';
import { Field } from './profile-fields.ts';

export const CODECS_FORMAT = 'kerf-codecs/1';

/** How one tensor of the cut is sent. */
export interface MeasuredTensorCodec {
  readonly name: string;
  /** As split.json has it. A level table is a file in the entry's folder. */
  readonly codec: TensorCodec;
  /** Of its payload, on average over the samples. */
  readonly bytesPerFrame: number;
}

/** One way to send the tensors of one cut, and what it was measured to cost. Points: 100 is the best of the metric. */
export interface CutCodec {
  /** For people, such as `levels 3`, `uint8 per channel` or `lossless`; unique at its cut. */
  readonly label: string;
  /** Every tensor of the cut, each once, model inputs that the tail needs included. */
  readonly tensors: readonly MeasuredTensorCodec[];
  /** Of all payloads of a frame over all their elements. */
  readonly bitsPerValue: number;
  /** Samples that the loss was measured on; not those that the codec was chosen by. */
  readonly samples: number;
  /** Metric of the whole model on them. */
  readonly wholePoints: number;
  /** What the codec costs; below 0 where it gains. */
  readonly lossPoints: number;
  /** 95 % interval of the loss. */
  readonly lossInterval: readonly [low: number, high: number];
  /** Median of all tensors of a frame, one after the other, where {@link CodecProfile.measuredOn} says. */
  readonly encodeMs: number;
  readonly decodeMs: number;
  /** The split that holds the level tables, relative to the profile's file; null where none was written. */
  readonly folder: string | null;
}

/** Codecs of one model that were measured on one machine in one metric. */
export interface CodecProfile {
  readonly format: typeof CODECS_FORMAT;
  readonly model: { readonly file: string; readonly sha256: string };
  /** Such as `pixel IoU`; `closeness of outputs` where the samples have no labels. */
  readonly metric: string;
  readonly measuredOn: {
    readonly processor: string;
    /** What the coder ran in, such as `node 20.19.0`. */
    readonly runtime: string;
    /** What the same machine takes for a made-up activation, so that times can be carried to another device. */
    readonly coding: CodingSpeeds;
  };
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly date: string;
  readonly entries: readonly CutCodec[];
}

const MAX_MS = 3_600_000;
const MAX_BYTES = 2 ** 40;
const MAX_POINTS = 1000;
/** float64 as it is. */
const MAX_BITS = 64;
const MAX_AXIS = 64;

/**
 * A checked profile of codecs; unknown keys are ignored.
 * @throws {KerfError} INVALID_ARGUMENT naming the first field that is wrong, missing or absurd.
 */
export function parseCodecProfile(json: unknown): CodecProfile {
  const root = new Field(json, '', 'codecs');
  root.format(CODECS_FORMAT, 'calibrate again with it');
  const measuredOn = root.get('measuredOn');
  const entries = root.get('entries').list((field) => ({ field, entry: cutCodec(field) }));
  const seen = new Set<string>();
  for (const { field, entry } of entries) {
    const key = entryKey(entry);
    if (seen.has(key)) throw field.wrong(`is the second '${entry.label}' at its cut: a label is used once at a cut`);
    seen.add(key);
  }
  return {
    format: CODECS_FORMAT,
    model: { file: root.get('model').get('file').text(), sha256: root.get('model').get('sha256').digest() },
    metric: root.get('metric').text(),
    measuredOn: {
      processor: measuredOn.get('processor').text(),
      runtime: measuredOn.get('runtime').text(),
      coding: measuredOn.get('coding').optional(codingSpeeds) ?? {},
    },
    versions: root.get('versions').entries((version) => version.text()),
    date: root.get('date').text(),
    entries: entries.map(({ entry }) => entry),
  };
}

/**
 * Adds what was measured later; an entry of the same cut and label takes the place of the older one.
 * @throws {KerfError} INVALID_ARGUMENT where the two cannot stand in one file: another model, metric or machine.
 */
export function mergeCodecProfiles(known: CodecProfile, more: CodecProfile): CodecProfile {
  const apart = (what: string, had: string, has: string): KerfError =>
    new KerfError(
      'INVALID_ARGUMENT',
      `codecs of two ${what} cannot stand in one file ('${had}' and '${has}'): write another file, 'kerf plan' takes several`,
    );
  const place = ({ measuredOn }: CodecProfile): string => `${measuredOn.processor}, ${measuredOn.runtime}`;
  if (known.model.sha256 !== more.model.sha256) throw apart('models', known.model.file, more.model.file);
  if (known.metric !== more.metric) throw apart('metrics', known.metric, more.metric);
  if (place(known) !== place(more)) throw apart('machines', place(known), place(more));
  const replaced = new Set(more.entries.map(entryKey));
  return { ...more, entries: [...known.entries.filter((entry) => !replaced.has(entryKey(entry))), ...more.entries] };
}

/** The same for the same label at the same cut. */
function entryKey({ label, tensors }: CutCodec): string {
  return JSON.stringify([label, ...tensors.map(({ name }) => name).sort()]);
}

function cutCodec(field: Field): CutCodec {
  const tensors = field.get('tensors').list(tensorCodec);
  if (tensors.length === 0) throw field.get('tensors').wrong('must name the tensors of a cut');
  if (new Set(tensors.map(({ name }) => name)).size < tensors.length) {
    throw field.get('tensors').wrong('names a tensor twice');
  }
  const folder = field.get('folder').optional((value) => value.text());
  if (folder === null && tensors.some(({ codec }) => codec.kind === 'levels')) {
    throw field.get('folder').wrong('is missing: level tables are files of a calibrated split');
  }
  const interval = field.get('lossInterval').list((points) => points.number(-MAX_POINTS, MAX_POINTS));
  const [low, high] = interval;
  if (low === undefined || high === undefined || interval.length > 2 || low > high) {
    throw field.get('lossInterval').wrong('must be two numbers, the lower first');
  }
  return {
    label: field.get('label').text(),
    tensors,
    bitsPerValue: field.get('bitsPerValue').number(0, MAX_BITS),
    samples: field.get('samples').whole(1e9),
    wholePoints: field.get('wholePoints').number(-MAX_POINTS, MAX_POINTS),
    lossPoints: field.get('lossPoints').number(-MAX_POINTS, MAX_POINTS),
    lossInterval: [low, high],
    encodeMs: field.get('encodeMs').number(0, MAX_MS),
    decodeMs: field.get('decodeMs').number(0, MAX_MS),
    folder,
  };
}

function tensorCodec(field: Field): MeasuredTensorCodec {
  return {
    name: field.get('name').text(true),
    codec: codecOf(field.get('codec')),
    bytesPerFrame: field.get('bytesPerFrame').number(0, MAX_BYTES),
  };
}

function codecOf(field: Field): TensorCodec {
  const kind = field.get('kind').choice(['raw', 'lossless', 'float16', 'uint8', 'levels']);
  if (kind === 'levels') return { kind, table: tableFile(field.get('table')) };
  if (kind !== 'uint8') return { kind };
  return { kind, channelAxis: field.get('channelAxis').optional((axis) => axis.whole(MAX_AXIS)) };
}

function tableFile(field: Field): ManifestFile {
  const name = field.get('file').text();
  if (/[\\/]/.test(name) || name === '.' || name === '..') throw field.get('file').wrong('must be a plain file name');
  return { file: name, sha256: field.get('sha256').digest(), bytes: field.get('bytes').whole(MAX_BYTES) };
}
