// The paths of `--codecs` -> what calibration measured: a file of kerf-codecs/1 as it is, a calibrated split as one entry.
import { readFile, stat } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import type { ModelFile } from '@kerf/onnx/node';
import { type CodecCalibration, KerfError, type SplitManifest, systemClock, type TensorCodec } from '@kerf/protocol';
import {
  CODECS_FORMAT,
  type CodecProfile,
  type CodingSpeeds,
  checkProfileModel,
  type DeviceProfile,
  measureCoding,
  parseCodecProfile,
} from '@kerf/splitter';
import { readManifestFile } from '@kerf/splitter/node';
import { tensorCodecText } from '../codec-text.ts';
import { usageError } from '../command.ts';
import { named } from './named-error.ts';

const CODING_BUDGET_MS = 400;

/**
 * Folders of entries become absolute, so that measuring finds the level tables.
 * @param edge where the sizes of a split's tensors come from
 * @throws {KerfError} FILE_NOT_FOUND, INVALID_ARGUMENT for what is neither, is of another model or was not calibrated,
 * MANIFEST_INVALID.
 */
export async function readCodecs(
  paths: readonly string[],
  model: ModelFile,
  edge: DeviceProfile,
): Promise<CodecProfile[]> {
  const profiles: CodecProfile[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((cause: unknown) => {
      throw new KerfError('FILE_NOT_FOUND', `--codecs: '${path}' is not there`, { cause });
    });
    const profile = found.isDirectory() ? await ofSplit(path, model, edge) : await ofFile(path);
    await named(`--codecs: '${path}'`, () =>
      checkProfileModel(profile, model, 'file', "run 'kerf calibrate' on this one"),
    );
    profiles.push(profile);
  }
  return profiles;
}

async function ofFile(path: string): Promise<CodecProfile> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `--codecs: '${path}' cannot be read`, { cause });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `--codecs: '${path}' is no JSON; 'kerf calibrate --codecs' writes such files`,
      {
        cause,
      },
    );
  }
  const profile = await named(`--codecs: '${path}'`, () => parseCodecProfile(json));
  const entries = profile.entries.map((entry) =>
    entry.folder === null ? entry : { ...entry, folder: resolve(dirname(path), entry.folder) },
  );
  return { ...profile, entries };
}

/** A split says nothing of times: they follow from the sizes and from how fast this machine codes. */
async function ofSplit(folder: string, model: ModelFile, edge: DeviceProfile): Promise<CodecProfile> {
  const { source, codec, createdBy } = await readManifestFile(folder);
  checkProfileModel({ model: source }, model, `split '${folder}'`, 'split and calibrate this one');
  if (codec.kind === 'raw' || codec.calibration === null) {
    throw usageError(
      `--codecs: the split in '${folder}' was not calibrated, so that nobody knows what its codec costs; run 'kerf calibrate'`,
    );
  }
  const coding = await measureCoding(systemClock, CODING_BUDGET_MS);
  const entry = entryOf(codec.tensors, codec.calibration, { edge, coding });
  return {
    format: CODECS_FORMAT,
    model: { file: source.file, sha256: source.sha256 },
    metric: codec.calibration.metric,
    measuredOn: {
      processor: cpus()[0]?.model ?? 'unknown',
      runtime: `node ${process.versions.node}`,
      coding,
    },
    versions: { split: createdBy },
    date: new Date().toISOString(),
    entries: [{ ...entry, folder: resolve(folder) }],
  };
}

type CodedTensors = Extract<SplitManifest['codec'], { kind: 'coded' }>['tensors'];

/** The bytes of a frame are shared out among the tensors by their raw sizes. */
function entryOf(
  tensors: CodedTensors,
  { bytesPerFrame, bitsPerValue, samples, wholePoints, lossPoints, lossInterval }: CodecCalibration,
  { edge, coding }: { readonly edge: DeviceProfile; readonly coding: CodingSpeeds },
): CodecProfile['entries'][number] {
  const rawBytes = new Map(edge.values.map(({ name, bytes }) => [name, bytes ?? 0]));
  const total = tensors.reduce((sum, { name }) => sum + (rawBytes.get(name) ?? 0), 0);
  const share = (name: string): number => (total > 0 ? (rawBytes.get(name) ?? 0) / total : 1 / tensors.length);
  const msOf = (part: 'encodeMsPerMegabyte' | 'decodeMsPerMegabyte'): number =>
    tensors.reduce((sum, { name, codec: { kind } }) => {
      const speed = kind === 'raw' ? 0 : (coding[kind]?.[part] ?? 0);
      return sum + (speed * (rawBytes.get(name) ?? 0)) / 1e6;
    }, 0);
  return {
    label: labelOf(tensors.map(({ codec }) => codec)),
    tensors: tensors.map(({ name, codec }) => ({ name, codec, bytesPerFrame: bytesPerFrame * share(name) })),
    bitsPerValue,
    samples,
    wholePoints,
    lossPoints,
    lossInterval,
    encodeMs: msOf('encodeMsPerMegabyte'),
    decodeMs: msOf('decodeMsPerMegabyte'),
    folder: null,
  };
}

function labelOf(codecs: readonly TensorCodec[]): string {
  return [...new Set(codecs.map(tensorCodecText))].join(' + ');
}
