// Records with their pictures -> a folder of pictures, overlays and JSON by day and verdict, within a quota.
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { type ErrorCode, fileNamePart, KerfError } from '@kerf/protocol';
import type { Picture } from '../../capture/capture.ts';
import type { ImageFolderConfig } from '../../sinks/image-folder-config.ts';
import { KnownRecords, recordKey } from '../../sinks/known-records.ts';
import type { SinkSetup } from '../../sinks/options.ts';
import type { DeliveredPicture, Delivery, Sink } from '../../sinks/sink.ts';
import type { ResultRecord } from '../../station/result-record.ts';
import { encodePng } from '../picture/picture-file.ts';
import { writeWhole } from '../write-whole.ts';
import { diskError } from './disk-error.ts';
import { PictureShelf } from './picture-shelf.ts';

/**
 * Keeps pictures as they came, an overlay beside them, and the record as JSON. The names follow from the record: one that
 * comes again after a crash writes the same files.
 */
export function imageFolderSink(config: ImageFolderConfig, setup: SinkSetup): Sink {
  const known = new KnownRecords();
  const shelf = new PictureShelf(resolve(config.path), config);
  const ageClock = withoutJumps(setup);
  return {
    name: setup.name,
    deliver: async (delivery, signal) => {
      signal.throwIfAborted();
      const key = recordKey(delivery.record);
      if (known.has(key) || !isKept(config, delivery.record)) return;
      try {
        await keep(config, ageClock, shelf, delivery, signal);
        known.add(key);
      } catch (cause) {
        throw diskError(cause, `sink '${setup.name}' cannot write a picture`);
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Largest jump of the wall clock that makes pictures older while the station runs: one that is off by a year would remove all. */
const JUMP_MS = 86_400_000;

/** The wall clock, which goes ahead of the one that does not jump by no more than {@link JUMP_MS}. Milliseconds since 1970. */
function withoutJumps({ wallClock, clock }: Pick<SinkSetup, 'wallClock' | 'clock'>): () => number {
  const aheadMs = wallClock() - clock.nowMs();
  return () => Math.min(wallClock(), aheadMs + clock.nowMs() + JUMP_MS);
}

/** By the result's id, not by chance: a record that comes again is treated the same. */
function isKept({ verdicts, sample }: ImageFolderConfig, { verdict, resultId }: ResultRecord): boolean {
  if (verdicts.includes(verdict)) return true;
  return createHash('sha256').update(resultId).digest().readUInt32BE(0) < sample * 2 ** 32;
}

interface NewFile {
  readonly suffix: string;
  readonly bytes: Uint8Array;
}

async function keep(
  config: ImageFolderConfig,
  ageClock: () => number,
  shelf: PictureShelf,
  { record, picture }: Delivery,
  signal: AbortSignal,
): Promise<void> {
  const delivered = (await picture?.read()) ?? null;
  signal.throwIfAborted();
  const pictures = delivered === null ? [] : await pictureFiles(delivered, record, config.overlay);
  const json = { suffix: '.json', bytes: Buffer.from(`${JSON.stringify(record, null, 1)}\n`) };
  const whole = bytesOf([...pictures, json]);
  // It would never fit: waiting for room would hold up every record behind it.
  const isTooLarge = whole > config.quota;
  const files = isTooLarge ? [json] : [...pictures, json];
  const day = record.creationTime.slice(0, 10);
  const folder = await shelf.roomFor(day, record.verdict, bytesOf(files), ageClock());
  const write = async ({ suffix, bytes }: NewFile): Promise<void> => {
    await writeWhole(join(folder, `${stemOf(record)}${suffix}`), bytes);
    shelf.add(day, record.verdict, bytes.byteLength);
  };
  // Side by side: each waits for the disk, and a sink that is slower than the line misses pictures.
  const written = await Promise.allSettled(files.map(write));
  const failure = written.find((one) => one.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  if (isTooLarge) picture?.leave(`its files of ${whole} bytes do not fit the quota of ${config.quota}; raise it`);
}

function bytesOf(files: readonly NewFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

/** Time, part, and what makes it unique; sorted by name is sorted by time. */
function stemOf({ creationTime, partId, resultId, revision }: ResultRecord): string {
  const time = creationTime.slice(11, 23).replaceAll(/[:.]/g, '');
  const part = fileNamePart(partId ?? 'no-id', 60);
  const unique = createHash('sha256').update(resultId).digest('hex').slice(0, 12);
  return `${time}_${part}_${unique}${revision === 0 ? '' : `-r${revision}`}`;
}

/** Trying again would not help, and would hold up every record behind it. */
const WITHOUT_OVERLAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['IMAGE_INVALID', 'BACKEND_FAILED']);

async function pictureFiles(delivered: DeliveredPicture, record: ResultRecord, overlay: boolean): Promise<NewFile[]> {
  const files = [await originalFile(delivered.original)];
  if (!overlay) return files;
  try {
    files.push({ suffix: '_overlay.png', bytes: await delivered.pictures.overlay(delivered.original, record) });
  } catch (error) {
    // What cannot be decoded, or drawn, has no overlay; the record says why, and the picture is kept.
    if (!KerfError.is(error) || !WITHOUT_OVERLAY.has(error.code)) throw error;
  }
  return files;
}

async function originalFile(picture: Picture): Promise<NewFile> {
  if (picture.kind === 'pixels') return { suffix: '.png', bytes: await encodePng(picture.image) };
  return { suffix: picture.format === 'jpeg' ? '.jpg' : `.${picture.format}`, bytes: picture.bytes };
}
