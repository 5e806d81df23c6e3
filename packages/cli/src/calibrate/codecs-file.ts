// What was measured at cuts -> the file that `kerf plan --codecs` reads, with what it held before.
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import process from 'node:process';
import { KerfError, messageOf, systemClock } from '@kerf/protocol';
import {
  CODECS_FORMAT,
  type CodecProfile,
  type CutCodec,
  measureCoding,
  mergeCodecProfiles,
  parseCodecProfile,
} from '@kerf/splitter';
import { deviceOf, versionsOf } from '../profile/device.ts';
import { writeProfile } from '../profile/profile-file.ts';
import type { CalibratedCut, CalibrationReport } from './report.ts';

const CODING_BUDGET_MS = 600;

/** The file as it is; null where there is none. @throws {KerfError} INVALID_ARGUMENT when it is something else. */
export async function readCodecs(path: string): Promise<CodecProfile | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new KerfError('FILE_NOT_FOUND', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new KerfError('FILE_EXISTS', `${path} is there and holds no codecs; name another file`, { cause });
  }
  return parseCodecProfile(json);
}

/** @throws {KerfError} INVALID_ARGUMENT where the file is of another model, metric or machine; FILE_NOT_FOUND. */
export async function addCodecs(path: string, known: CodecProfile | null, report: CalibrationReport): Promise<void> {
  const fresh: CodecProfile = {
    format: CODECS_FORMAT,
    model: report.model,
    metric: report.metric,
    measuredOn: {
      processor: deviceOf().processor,
      runtime: `node ${process.versions.node}`,
      coding: await measureCoding(systemClock, CODING_BUDGET_MS),
    },
    versions: versionsOf('onnxruntime-node'),
    date: new Date().toISOString(),
    entries: report.cuts.flatMap((cut) => entriesOf(path, cut, report.samples.judgedOn)),
  };
  await writeProfile(path, known === null ? fresh : mergeCodecProfiles(known, fresh));
}

/** Codecs with tables only where the split that holds the tables was written. */
function entriesOf(path: string, { measured, best, folder }: CalibratedCut, samples: number): CutCodec[] {
  const place = folder === null ? null : relative(dirname(resolve(path)), resolve(folder)) || '.';
  return measured
    .filter(({ label, tensors }) => label === best || tensors.every(({ codec }) => codec.kind !== 'levels'))
    .map(({ label, tensors, bitsPerValue, loss, encodeMs, decodeMs }) => ({
      label,
      tensors,
      bitsPerValue,
      samples,
      wholePoints: loss.wholePoints,
      lossPoints: loss.lossPoints,
      lossInterval: [loss.lossInterval.low, loss.lossInterval.high] as const,
      encodeMs,
      decodeMs,
      folder: label === best ? place : null,
    }));
}
