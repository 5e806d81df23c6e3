// An MCAP file of a session -> what is in it and where, up to the place where it ends; parts are read when they are asked for.
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { KerfError, messageOf } from '@kerf/protocol';
import type { McapStreamReader } from '@mcap/core';
import {
  SESSION_FORMAT,
  type SessionHead,
  type SessionPart,
  type SessionSettings,
} from '../../recording/session-content.ts';
import type { ResultRecord, Verdict } from '../../station/result-record.ts';
import { HEAD, type PictureMessage, TOPICS } from './session-channels.ts';

const BLOCK_BYTES = 1 << 20;
/** No message of ours is longer: what claims to be is a place that a loss of power left unwritten. */
const MAX_MESSAGE_BYTES = 512 * 2 ** 20;
/** Parts of one session that are listed: their entries are in memory. */
const MAX_PARTS = 200_000;
/** Opcode, length, channel, sequence, and two times come before a message's data. */
const MESSAGE_PREFIX = 1 + 8 + 2 + 4 + 8 + 8;

interface Place {
  readonly start: number;
  readonly end: number;
}

/** What is known of a part without reading it again. */
export interface SessionEntry {
  readonly resultId: string;
  readonly partId: string | null;
  readonly imageSha256: string | null;
  readonly takenTime: string;
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly placement: ResultRecord['placement'];
  readonly thresholdsVersion: string;
  readonly revision: number;
  /** Of its last record. */
  readonly result: Place;
  readonly picture: Place | null;
}

export class SessionFile {
  readonly name: string;
  readonly head: SessionHead;
  /** In the order in which they were judged first, with what their last record says. */
  readonly entries: readonly SessionEntry[];
  readonly settings: ReadonlyMap<string, SessionSettings>;
  /** Why the file ends before its end; null for one that was closed. */
  readonly cut: string | null;
  private readonly file: FileHandle;

  private constructor(name: string, file: FileHandle, scan: Scan, head: SessionHead, cut: string | null) {
    this.name = name;
    this.file = file;
    this.head = head;
    this.entries = [...scan.entries.values()];
    this.settings = scan.settings;
    this.cut = cut;
  }

  /** @throws {KerfError} FILE_NOT_FOUND, RECORDING_INVALID for a file that is no session from its first byte on. */
  static async open(path: string): Promise<SessionFile> {
    const file = await open(path, 'r').catch((cause: unknown) => {
      throw new KerfError('FILE_NOT_FOUND', `the session ${basename(path)} is not there or cannot be read`, { cause });
    });
    try {
      if (!(await file.stat()).isFile())
        throw new KerfError('RECORDING_INVALID', `${basename(path)} is a folder or a device, no session`);
      const scan = new Scan();
      const cut = await scanFile(file, scan);
      if (scan.head === null) {
        throw new KerfError(
          'RECORDING_INVALID',
          `${basename(path)} is no ${SESSION_FORMAT}: ${cut ?? 'it says nothing of a session'}`,
        );
      }
      return new SessionFile(basename(path), file, scan, scan.head, cut);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @throws {KerfError} RECORDING_INVALID when the file has changed meanwhile. */
  async read({ result, picture }: SessionEntry): Promise<SessionPart> {
    const record = (await this.message(result)) as ResultRecord;
    if (picture === null) return { record, picture: null };
    const { format, data } = (await this.message(picture)) as PictureMessage;
    return { record, picture: { kind: 'encoded', format, bytes: new Uint8Array(Buffer.from(data, 'base64')) } };
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async message({ start, end }: Place): Promise<unknown> {
    const bytes = new Uint8Array(end - start);
    await this.file.read(bytes, 0, bytes.length, start);
    try {
      return parseJson(bytes.subarray(MESSAGE_PREFIX));
    } catch (cause) {
      throw new KerfError('RECORDING_INVALID', `${this.name} has changed while it was read`, { cause });
    }
  }
}

class Scan {
  head: SessionHead | null = null;
  readonly settings = new Map<string, SessionSettings>();
  readonly entries = new Map<string, SessionEntry>();
  private readonly topics = new Map<number, string>();
  /** A picture whose record has not come yet. */
  private waiting: { readonly resultId: string; readonly place: Place } | null = null;

  take(record: NonNullable<ReturnType<McapStreamReader['nextRecord']>>, place: Place): void {
    if (record.type === 'Chunk') throw new Error('it is chunked, which kerf does not write: record it with kerf');
    if (record.type === 'Metadata' && record.name === HEAD) this.head = headOf(record.metadata);
    if (record.type === 'Channel') this.topics.set(record.id, record.topic);
    if (record.type !== 'Message') return;
    const topic = this.topics.get(record.channelId);
    if (topic === TOPICS.pictures) this.waiting = { resultId: frameIdOf(record.data), place };
    else if (topic === TOPICS.results) this.result(parseJson(record.data) as ResultRecord, place);
    else if (topic === TOPICS.settings) {
      const settings = parseJson(record.data) as SessionSettings;
      this.settings.set(settings.version, settings);
    }
  }

  private result(record: ResultRecord, place: Place): void {
    const { resultId, partId, imageSha256, takenTime, verdict, score, placement, thresholdsVersion, revision } = record;
    const known = this.entries.get(resultId);
    if (known === undefined && this.entries.size >= MAX_PARTS) throw new Error(`it has more than ${MAX_PARTS} parts`);
    const picture = this.waiting?.resultId === resultId ? this.waiting.place : (known?.picture ?? null);
    this.waiting = null;
    const said = { resultId, partId, imageSha256, takenTime, verdict, score, placement, thresholdsVersion, revision };
    this.entries.set(resultId, { ...said, result: place, picture });
  }
}

/** Stands before the picture's bytes, which nobody wants yet. */
function frameIdOf(data: Uint8Array): string {
  const start = new TextDecoder().decode(data.subarray(0, 4_096));
  const found = /"frame_id":("(?:[^"\\]|\\.)*")/.exec(start)?.[1];
  if (found === undefined) throw new Error('a picture has no frame_id');
  return JSON.parse(found) as string;
}

function headOf(metadata: ReadonlyMap<string, string>): SessionHead {
  if (metadata.get('format') !== SESSION_FORMAT)
    throw new Error(`its format is ${metadata.get('format') ?? 'unknown'}`);
  return JSON.parse(metadata.get('head') ?? '') as SessionHead;
}

/** @returns why reading ended early, or null. What was taken until then holds. */
async function scanFile(file: FileHandle, scan: Scan): Promise<string | null> {
  const mcap = await import('@mcap/core');
  const reader = new mcap.McapStreamReader({ includeChunks: true });
  const block = new Uint8Array(BLOCK_BYTES);
  let appended = 0;
  let start = 0;
  try {
    while (!reader.done()) {
      const { bytesRead } = await file.read(block, 0, block.length, appended);
      if (bytesRead === 0) return 'it was not closed: what was written last may be missing';
      reader.append(block.slice(0, bytesRead));
      appended += bytesRead;
      for (let record = reader.nextRecord(); record !== undefined; record = reader.nextRecord()) {
        const end = appended - reader.bytesRemaining();
        scan.take(record, { start, end });
        start = end;
      }
      if (reader.bytesRemaining() > MAX_MESSAGE_BYTES) return `it is damaged at byte ${start}`;
    }
    return null;
  } catch (error) {
    return `it cannot be read from byte ${start} on: ${messageOf(error)}`;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}
