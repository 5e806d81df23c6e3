// A load request -> a model in ONNX Runtime: files hashed, the model verified, providers tried in order.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { openModelFile } from '@kerf/onnx/node';
import {
  type Backend,
  KerfError,
  type LevelTable,
  type LoadedModel,
  messageOf,
  ortBackend,
  readLevelTable,
} from '@kerf/protocol';
import * as ort from 'onnxruntime-node';
import { HostedModel } from './hosted-model.ts';
import type { HashedFile, LoadRequest, WarmUpReply } from './jobs.ts';
import { warmUp } from './warm-up.ts';

export interface ReadyModel {
  readonly model: HostedModel;
  readonly provider: string;
  readonly warmUp: WarmUpReply;
  /** Level tables that payloads may be coded with, by id. */
  readonly tables: ReadonlyMap<string, LevelTable>;
}

/**
 * Loads a model.
 * @throws {KerfError} MANIFEST_INVALID when a file is not the one that the manifest names, MODEL_MALFORMED,
 * MODEL_TOO_LARGE, EXTERNAL_DATA, MODEL_UNSUPPORTED, BACKEND_UNAVAILABLE.
 */
export async function loadModel(request: LoadRequest): Promise<ReadyModel> {
  for (const file of [...request.files, ...request.tables]) await checkHash(file);
  for (const path of request.paths) await openModelFile(path);
  const tables = await readTables(request.tables);
  let lastError: unknown;
  for (const provider of request.providers) {
    const backend = ortBackend({ name: `onnxruntime-node/${provider}`, ort, executionProviders: [provider] });
    try {
      const models = await loadAll(backend, request);
      const model = new HostedModel(models, request.entries);
      return { model, provider, tables, warmUp: await warmUp(models, provider, request.warmUp) };
    } catch (error) {
      lastError = error;
      await backend.dispose();
    }
  }
  throw KerfError.from(
    lastError,
    'BACKEND_UNAVAILABLE',
    `no execution provider takes the model: ${messageOf(lastError)}`,
  );
}

async function loadAll(
  backend: Backend,
  { paths, threads, optimizationLevel }: LoadRequest,
): Promise<readonly LoadedModel[]> {
  const models: LoadedModel[] = [];
  for (const path of paths) models.push(await backend.load({ path }, { threads, optimizationLevel }));
  return models;
}

async function checkHash({ path, sha256, bytes }: HashedFile): Promise<void> {
  const hash = createHash('sha256');
  let count = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      count += chunk.byteLength;
    }
  } catch (cause) {
    throw new KerfError('MANIFEST_INVALID', 'a file that the manifest names cannot be read; split the model again', {
      cause,
    });
  }
  if (count !== bytes || hash.digest('hex') !== sha256) {
    throw new KerfError(
      'MANIFEST_INVALID',
      'a file is not the one that the manifest names: it was changed afterwards; split the model again',
    );
  }
}

/** @throws {KerfError} MANIFEST_INVALID when a table cannot be read. */
async function readTables(files: readonly HashedFile[]): Promise<Map<string, LevelTable>> {
  const tables = new Map<string, LevelTable>();
  for (const { path, sha256 } of files) tables.set(sha256, readLevelTable(await readFile(path), sha256));
  return tables;
}
