// Parts as they are judged -> an MCAP file that can be read up to where it is good, whenever it ends.
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolders } from '@kerf/protocol/node';
import type { McapRecordBuilder } from '@mcap/core';
import {
  SESSION_FORMAT,
  type SessionHead,
  type SessionPart,
  type SessionSettings,
} from '../../recording/session-content.ts';
import { pictureMessageBytes } from './picture-message.ts';
import { HEAD, PROFILE, SCHEMAS, TOPICS } from './session-channels.ts';

type Topic = (typeof TOPICS)[keyof typeof TOPICS];

/** A loss of power takes what was written in the last so long. */
const SYNC_MS = 1_000;
/** Schema and channel of a topic have the same number, from 1 on: 0 is no schema. */
const NUMBERS = new Map<Topic, number>(Object.values(TOPICS).map((topic, at) => [topic, at + 1]));

/**
 * Calls follow one another: each must have ended before the next one. Records go to the file one by one, not in chunks, and
 * not at its end as the library's own writer does: a file that ends anywhere lacks what comes after, and nothing before.
 */
export class SessionWriter {
  private readonly file: FileHandle;
  private readonly builder: McapRecordBuilder;
  private readonly versions = new Set<string>();
  private readonly counts = new Map<number, bigint>();
  private times: { readonly first: bigint; readonly last: bigint } | null = null;
  private sequence = 0;
  private syncedMs = 0;
  bytes = 0;
  parts = 0;

  private constructor(file: FileHandle, builder: McapRecordBuilder) {
    this.file = file;
    this.builder = builder;
  }

  /** @throws what the disk says; EEXIST where the file is there. */
  static async create(path: string, head: SessionHead): Promise<SessionWriter> {
    // Here, since few who load this file record.
    const mcap = await import('@mcap/core');
    await makeFolders(dirname(path));
    const writer = new SessionWriter(await open(path, 'wx'), new mcap.McapRecordBuilder());
    try {
      await writer.begin(head);
      return writer;
    } catch (error) {
      // Nothing of it is worth a file.
      await writer.file.close();
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Once for each version. */
  async settings(settings: SessionSettings): Promise<void> {
    if (this.versions.has(settings.version)) return;
    this.versions.add(settings.version);
    this.message(TOPICS.settings, jsonBytes(settings), Date.now());
    await this.flush();
  }

  /** The picture first: a record whose picture is cut off would say that there was none. */
  async part({ record, picture }: SessionPart): Promise<void> {
    const atMs = Date.parse(record.creationTime);
    if (picture !== null) {
      const message = {
        timestamp: { sec: Math.floor(atMs / 1_000), nsec: (atMs % 1_000) * 1_000_000 },
        frame_id: record.resultId,
        format: picture.format,
      };
      this.message(TOPICS.pictures, pictureMessageBytes(message, picture.bytes), atMs);
    }
    this.message(TOPICS.results, jsonBytes(record), atMs);
    await this.flush();
    if (record.revision === 0) this.parts++;
    if (performance.now() - this.syncedMs < SYNC_MS) return;
    await this.file.datasync();
    this.syncedMs = performance.now();
  }

  async close(): Promise<void> {
    try {
      await this.end();
      await this.file.datasync();
    } finally {
      await this.file.close();
    }
  }

  private async begin(head: SessionHead): Promise<void> {
    this.builder.writeMagic();
    this.builder.writeHeader({ profile: PROFILE, library: 'kerf' });
    const metadata = new Map([
      ['format', SESSION_FORMAT],
      ['head', JSON.stringify(head)],
    ]);
    this.builder.writeMetadata({ name: HEAD, metadata });
    this.channels();
    await this.flush();
  }

  private channels(): void {
    for (const [topic, id] of NUMBERS) {
      this.builder.writeSchema({ id, ...SCHEMAS[topic], encoding: 'jsonschema' });
      this.builder.writeChannel({ id, schemaId: id, topic, messageEncoding: 'json', metadata: new Map() });
    }
  }

  /** No checksum over all of it: pictures have theirs in their records. */
  private async end(): Promise<void> {
    this.builder.writeDataEnd({ dataSectionCrc: 0 });
    await this.flush();
    const summaryStart = BigInt(this.bytes);
    this.channels();
    this.builder.writeStatistics({
      messageCount: BigInt(this.sequence),
      schemaCount: NUMBERS.size,
      channelCount: NUMBERS.size,
      attachmentCount: 0,
      metadataCount: 1,
      chunkCount: 0,
      messageStartTime: this.times?.first ?? 0n,
      messageEndTime: this.times?.last ?? 0n,
      channelMessageCounts: this.counts,
    });
    this.builder.writeFooter({ summaryStart, summaryOffsetStart: 0n, summaryCrc: 0 });
    this.builder.writeMagic();
    await this.flush();
  }

  private message(topic: Topic, data: Uint8Array, atMs: number): void {
    const at = BigInt(Math.round(atMs)) * 1_000_000n;
    const channelId = NUMBERS.get(topic) ?? 0;
    this.builder.writeMessage({ channelId, sequence: this.sequence++, logTime: at, publishTime: at, data });
    this.counts.set(channelId, (this.counts.get(channelId) ?? 0n) + 1n);
    const { first, last } = this.times ?? { first: at, last: at };
    this.times = { first: at < first ? at : first, last: at > last ? at : last };
  }

  /** All of it or nothing: a disk that is full takes a piece and says so at the next one. */
  private async flush(): Promise<void> {
    const { buffer } = this.builder;
    const length = buffer.byteLength;
    try {
      for (let done = 0; done < length; ) {
        const { bytesWritten } = await this.file.write(buffer, done, length - done, this.bytes + done);
        done += bytesWritten;
      }
      this.bytes += length;
    } catch (error) {
      await this.file.truncate(this.bytes).catch(() => {});
      throw error;
    } finally {
      this.builder.reset();
    }
  }
}

function jsonBytes(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
