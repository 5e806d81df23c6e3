// The paths of `--codecs` -> what calibration measured: a file of kerf-codecs/1 as it is, a calibrated split as one entry.
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import type { ModelFile } from '@kerf/onnx/node';
import {
  type CodecCalibration,
  KerfError,
  type ManifestFile,
  type SplitCodec,
  systemClock,
  type TensorCodec,
} from '@kerf/protocol';
import {
  CODECS_FORMAT,
  type CodecProfile,
  type CodingSpeeds,
  checkProfileModel,
  type DeviceProfile,
  measureCoding,
  parseCodecProfile,
} from '@kerf/splitter';
import { readChainManifest, readManifestFile } from '@kerf/splitter/node';
import { tensorCodecText } from '../codec-text.ts';
import { usageError } from '../command.ts';
import { named } from './named-error.ts';

const CODING_BUDGET_MS = 400;

/**
 * Folders of entries become absolute, so that measuring finds the level tables.
 * @param edge where the sizes of a split's tensors come from
 * @param say how a path is named in errors
 * @throws {KerfError} FILE_NOT_FOUND, INVALID_ARGUMENT for what is neither, is of another model or was not calibrated,
 * MANIFEST_INVALID.
 */
export async function readCodecs(
  paths: readonly string[],
  model: ModelFile,
  edge: DeviceProfile,
  say: (path: string) => string = (path) => `--codecs: '${path}'`,
): Promise<CodecProfile[]> {
  const profiles: CodecProfile[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((cause: unknown) => {
      throw new KerfError('FILE_NOT_FOUND', `${say(path)} is not there`, { cause });
    });
    const profile = found.isDirectory() ? await ofFolder(path, model, edge, say(path)) : await ofFile(path, say(path));
    await named(say(path), () => checkProfileModel(profile, model, 'file', "run 'kerf calibrate' on this one"));
    profiles.push(profile);
  }
  return profiles;
}

async function ofFile(path: string, name: string): Promise<CodecProfile> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `${name} cannot be read`, { cause });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', `${name} is no JSON; 'kerf calibrate --codecs' writes such files`, {
      cause,
    });
  }
  const profile = await named(name, () => parseCodecProfile(json));
  const entries = profile.entries.map((entry) =>
    entry.folder === null ? entry : { ...entry, folder: resolve(dirname(path), entry.folder) },
  );
  return { ...profile, entries };
}

type CodedCut = Extract<SplitCodec, { kind: 'coded' }> & { readonly calibration: CodecCalibration };

function isCalibrated(codec: SplitCodec): codec is CodedCut {
  return codec.kind === 'coded' && codec.calibration !== null;
}

/** A split, or the cuts of a chain. They say nothing of times: those follow from the sizes and from how fast this machine codes. */
async function ofFolder(folder: string, model: ModelFile, edge: DeviceProfile, name: string): Promise<CodecProfile> {
  const { source, codecs, createdBy } = await readFolderCodecs(folder);
  await named(name, () => checkProfileModel({ model: source }, model, 'folder', 'split and calibrate this one'));
  const calibrated = codecs.filter(isCalibrated);
  const [first] = calibrated;
  if (first === undefined) {
    throw usageError(`${name} was not calibrated, so that nobody knows what its codec costs; run 'kerf calibrate'`);
  }
  const coding = await measureCoding(systemClock, CODING_BUDGET_MS);
  return {
    format: CODECS_FORMAT,
    model: { file: source.file, sha256: source.sha256 },
    metric: first.calibration.metric,
    measuredOn: {
      processor: cpus()[0]?.model ?? 'unknown',
      runtime: `node ${process.versions.node}`,
      coding,
    },
    versions: { split: createdBy },
    date: new Date().toISOString(),
    entries: calibrated.map(({ tensors, calibration }) => ({
      ...entryOf(tensors, calibration, { edge, coding }),
      folder: resolve(folder),
    })),
  };
}

/** Of every cut that a folder's manifest has. @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID. */
export async function readFolderCodecs(
  folder: string,
): Promise<{ source: ManifestFile; codecs: readonly SplitCodec[]; createdBy: string }> {
  if (existsSync(join(folder, 'chain.json'))) {
    const { source, cuts, createdBy } = await readChainManifest(folder);
    return { source, codecs: cuts.map(({ codec }) => codec), createdBy };
  }
  const { source, codec, createdBy } = await readManifestFile(folder);
  return { source, codecs: [codec], createdBy };
}

/** Whether {@link readCodecs} has something of it. */
export async function hasCalibration(folder: string): Promise<boolean> {
  return (await readFolderCodecs(folder)).codecs.some(isCalibrated);
}

type CodedTensors = CodedCut['tensors'];

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
