// Deltas that are asked for -> deltas in the blob store, made in the background, one process each, once for the whole fleet.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type FormatVersion, HEADER_BYTES, signedBytesOf } from '@kerf/delta-sync';
import { openFileReader } from '@kerf/delta-sync/node';
import { KerfError, messageOf } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { type BlobStore, blobKey, deltaKey } from '../blobs/blob-store.ts';
import type { RegistryContext } from '../context.ts';
import type { RegistryLog } from '../http/api-server.ts';
import { readManifest } from '../releases/releases.ts';
import { WORTHWHILE } from './choose-route.ts';
import { claimDelta, type DeltaRow, deltaRow, endDelta, keepLease, knownFile } from './delta-rows.ts';
import type { JobFile } from './jobs.ts';
import { runDeltaWorker } from './run-worker.ts';

const MODEL_ROLES = new Set(['model', 'head', 'tail', 'segment']);

export class DeltaDesk {
  readonly #context: RegistryContext;
  readonly #blobs: BlobStore;
  readonly #folder: string;
  readonly #log: RegistryLog;
  readonly #format: FormatVersion | null;
  readonly #owner = randomUUID();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();

  /**
   * @param folder for files while a delta is made of them
   * @param format the newest version of the format of deltas; null: the last
   */
  constructor(
    context: RegistryContext,
    blobs: BlobStore,
    folder: string,
    log: RegistryLog,
    format: FormatVersion | null,
  ) {
    this.#context = context;
    this.#blobs = blobs;
    this.#folder = folder;
    this.#log = log;
    this.#format = format;
  }

  /** Starts as many as wait and may run. Safe to call at any time. */
  async pump(): Promise<void> {
    while (!this.#closing.signal.aborted && this.#running.size < this.#context.limits.deltaWorkers) {
      const row = await claimDelta(this.#context, this.#owner);
      if (row === null) return;
      const task: Promise<void> = this.#make(row).finally(() => {
        this.#running.delete(task);
        if (!this.#closing.signal.aborted) void this.pump();
      });
      this.#running.add(task);
    }
  }

  /** Stops what runs; it waits in the queue for the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
  }

  async #make(row: DeltaRow): Promise<void> {
    const place = path.join(this.#folder, randomUUID());
    try {
      await makeFolders(place, 0o700);
      await this.#makeIn(place, row);
    } catch (error) {
      await this.#fail(row, error).catch((cause: unknown) => {
        this.#log({ event: 'delta-not-noted', from: row.from, to: row.to, message: messageOf(cause) });
      });
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  }

  async #makeIn(place: string, row: DeltaRow): Promise<void> {
    const { limits, database } = this.#context;
    const target = await this.#fetchFile(place, 'target', row.to);
    const base = row.from === 'none' ? null : await this.#fetchFile(place, 'base', row.from);
    const out = path.join(place, 'delta');
    let done = 0;
    const beat = setInterval(() => {
      keepLease(this.#context, this.#owner, row, done).catch(() => {});
    }, limits.deltaLeaseMs / 3);
    const bytes = await runDeltaWorker(
      // Within a delta a file has one name: its base is found by its hash.
      { base: base === null ? null : { ...base, name: target.name }, target, out, format: this.#format },
      {
        memoryMib: limits.deltaMemoryMib,
        timeoutMs: limits.deltaTimeoutMs,
        signal: this.#closing.signal,
        onProgress: (doneBytes) => {
          done = doneBytes;
        },
      },
    ).finally(() => clearInterval(beat));
    const compressed = row.from === 'none' ? null : await deltaRow(database, 'none', row.to);
    const whole = Math.min(row.totalBytes, compressed?.bytes ?? row.totalBytes);
    if (bytes > WORTHWHILE * whole) {
      await endDelta(this.#context, row, { state: 'useless', bytes, indexSha256: null, reason: null });
      this.#log({ event: 'delta-useless', from: row.from, to: row.to, bytes, of: whole });
      return;
    }
    const indexSha256 = await this.#store(out, row, bytes);
    await endDelta(this.#context, row, { state: 'ready', bytes, indexSha256, reason: null });
    this.#log({ event: 'delta-ready', from: row.from, to: row.to, bytes, of: row.totalBytes });
  }

  /** A blob, and the model that says where tensors lie in it, as files. */
  async #fetchFile(place: string, side: string, sha256: string): Promise<JobFile> {
    const known = await knownFile(this.#context.database, sha256);
    if (known === null) throw new KerfError('NOT_FOUND', `no release has the file ${sha256}`);
    const file = path.join(place, side);
    await this.#copyBlob(sha256, file);
    const shared = { path: file, name: known.name, sha256 };
    if (MODEL_ROLES.has(known.role)) return { ...shared, model: { path: file } };
    if (known.role !== 'data') return { ...shared, model: null };
    const { files } = await readManifest(this.#context.database, known.releaseId);
    const model = files.find(({ role }) => MODEL_ROLES.has(role));
    if (model === undefined) return { ...shared, model: null };
    await this.#copyBlob(model.sha256, `${file}-model`);
    return { ...shared, model: { path: `${file}-model` } };
  }

  async #copyBlob(sha256: string, file: string): Promise<void> {
    const stat = await this.#blobs.stat(blobKey(sha256));
    if (stat === null) throw new KerfError('NOT_FOUND', `the blob ${sha256} is gone`);
    await pipeline(this.#blobs.read(blobKey(sha256), { start: 0, end: stat.bytes }), createWriteStream(file));
  }

  /** @returns the hash of header and index */
  async #store(file: string, { from, to }: DeltaRow, bytes: number): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
    const key = deltaKey(from, to);
    // A maker that was given up may have stored another one, and died before it could say so.
    await this.#blobs.remove(key);
    await this.#blobs.write(key, createReadStream(file), { bytes, sha256: hash.digest('hex') });
    const reader = await openFileReader(file);
    try {
      const indexBytes = signedBytesOf(await reader.read(0, HEADER_BYTES));
      return createHash('sha256')
        .update(await reader.read(0, indexBytes))
        .digest('hex');
    } finally {
      await reader.close();
    }
  }

  async #fail(row: DeltaRow, error: unknown): Promise<void> {
    const isClosing = this.#closing.signal.aborted;
    const reason = messageOf(error);
    const state = isClosing || row.attempts < this.#context.limits.maxDeltaAttempts ? 'queued' : 'failed';
    await endDelta(this.#context, row, { state, bytes: null, indexSha256: null, reason, isInnocent: isClosing });
    if (!isClosing) this.#log({ event: 'delta-failed', from: row.from, to: row.to, state, reason });
  }
}
