// A path -> a verified model with its checked external data; an extracted model -> files.
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KerfError } from '@kerf/protocol';
import { writeError } from '@kerf/protocol/node';
import { type ExternalFiles, resolveExternalFiles } from './external-files.ts';
import type { ExternalRange } from './external-rewrite.ts';
import type { ExtractedModel } from './extract.ts';
import type { ModelGraph } from './graph.ts';
import { DEFAULT_MODEL_LIMITS, type ModelLimits } from './limits.ts';
import type { GraphRecord, Model, NodeRecord } from './model.ts';
import { openModel } from './open-model.ts';
import { prescanFile } from './prescan-file.ts';
import { modelTooLarge, readModel } from './read-model.ts';
import { bodiesOf } from './scope.ts';
import { COPY_BYTES, isSparse, piecesOf, readSparsely } from './sparse-file.ts';
import { type NamedTensor, tensorFromProto, tensorToProto } from './tensor-proto.ts';
import { type Chunks, concatChunks } from './wire-writer.ts';

export interface ModelFile {
  readonly path: string;
  /** File name for records. */
  readonly name: string;
  readonly graph: ModelGraph;
  /** Hex SHA-256 of the model file; external data not included. */
  readonly sha256: string;
  readonly bytes: number;
  readonly externalFiles: ExternalFiles;
}

/** What was written. */
export interface WrittenFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface WrittenModel extends WrittenFile {
  /** The data file beside it, or null. */
  readonly externalData: WrittenFile | null;
}

/**
 * Reads and verifies a model file, and checks that its external data is in its folder and long enough.
 * Memory: the records, and the file's bytes once; of a file beyond 64 MiB, large raw data stays on disk, and the file
 * must not change while the graph is in use.
 * @throws {KerfError} FILE_NOT_FOUND, MODEL_MALFORMED, MODEL_TOO_LARGE, EXTERNAL_DATA.
 */
export async function openModelFile(file: string, limits: ModelLimits = DEFAULT_MODEL_LIMITS): Promise<ModelFile> {
  const { bytes, sha256 } = await readModelBytes(file, limits);
  const graph = openModel(bytes, limits);
  const externalFiles = await resolveExternalFiles(graph.model, path.dirname(file));
  return { path: file, name: path.basename(file), graph, sha256, bytes: bytes.byteLength, externalFiles };
}

/** Files beyond this are looked over before they are read, and large weights are left in them. */
const LARGE_FILE_BYTES = 64 * 1024 * 1024;

async function readModelBytes(file: string, limits: ModelLimits): Promise<{ bytes: Uint8Array; sha256: string }> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) throw new KerfError('FILE_NOT_FOUND', `'${file}' is not a file`);
    if (stats.size > limits.maxModelBytes) throw modelTooLarge(stats.size, limits);
    if (stats.size > LARGE_FILE_BYTES) {
      await prescan(file, stats.size);
      const sparse = await readSparsely(file);
      // Initializers of one name must be the same, and only their bytes can tell.
      if (!repeatsInitializer(readModel(sparse.bytes, limits))) return sparse;
    }
    const bytes = await readFile(file);
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  } catch (cause) {
    throw KerfError.from(cause, 'FILE_NOT_FOUND', `the model '${file}' is not there or cannot be read`);
  }
}

async function prescan(file: string, byteLength: number): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await prescanFile(handle, byteLength);
  } finally {
    await handle.close();
  }
}

/** Whether two large initializers of one graph, at any depth, have the same name. */
function repeatsInitializer(model: Model): boolean {
  const repeats = (graph: GraphRecord): boolean => {
    const large = graph.initializers.filter((tensor) => tensor.raw !== null);
    return new Set(large.map((tensor) => tensor.name)).size < large.length || inNodes(graph.nodes);
  };
  const inNodes = (nodes: readonly NodeRecord[]): boolean => nodes.some((node) => bodiesOf(node).some(repeats));
  return (model.graph !== null && repeats(model.graph)) || model.functions.some((entry) => inNodes(entry.nodes));
}

/**
 * Writes an extracted model, and its external data beside it under the name that it was extracted with. Each file is
 * written under a temporary name, flushed and renamed; nothing is left behind on failure.
 * @throws {KerfError} FILE_NOT_FOUND when the folder is missing or not writable, EXTERNAL_DATA when a source changed.
 */
export async function writeModelFile(
  extracted: ExtractedModel,
  file: string,
  source: ExternalFiles,
  externalFile: string,
): Promise<WrittenModel> {
  const pieces: DataPiece[] = [
    ...extracted.external.map((range) => ({ target: range.target, from: range })),
    ...(extracted.placed ?? []).map(({ target, bytes }) => ({ target, from: bytes })),
  ];
  pieces.sort((left, right) => left.target - right.target);
  const externalData =
    pieces.length === 0
      ? null
      : await writeFileAtomically(path.join(path.dirname(file), externalFile), (sink) =>
          copyPieces(pieces, source, sink),
        );
  const model = await writeFileAtomically(file, (sink) => sink.writeAll(extracted.chunks));
  return { ...model, externalData };
}

/** Bytes on their way to a file: hashed and counted. */
class FileSink {
  readonly hash: Hash = createHash('sha256');
  bytes = 0;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.hash.update(chunk);
    this.bytes += chunk.byteLength;
    for (let at = 0; at < chunk.byteLength; ) {
      const { bytesWritten } = await this.#handle.write(chunk, at, Math.min(chunk.byteLength - at, 2 ** 30));
      at += bytesWritten;
    }
  }

  /** A chunk whose large weights may stand in the model's file only. */
  async writeTrue(chunk: Uint8Array): Promise<void> {
    for await (const piece of piecesOf(chunk)) await this.write(piece);
  }

  /** Many small chunks become few writes; large ones are written as they are. */
  async writeAll(chunks: Chunks): Promise<void> {
    let waiting: Uint8Array[] = [];
    let size = 0;
    const flush = async (): Promise<void> => {
      if (size > 0) await this.write(concatChunks(waiting));
      waiting = [];
      size = 0;
    };
    for (const chunk of chunks) {
      if (chunk.byteLength >= COPY_BYTES || isSparse(chunk)) {
        await flush();
        await this.writeTrue(chunk);
        continue;
      }
      waiting.push(chunk);
      size += chunk.byteLength;
      if (size >= COPY_BYTES) await flush();
    }
    await flush();
  }

  async padTo(offset: number): Promise<void> {
    if (offset > this.bytes) await this.write(new Uint8Array(offset - this.bytes));
  }
}

async function writeFileAtomically(file: string, fill: (sink: FileSink) => Promise<void>): Promise<WrittenFile> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      const sink = new FileSink(handle);
      await fill(sink);
      await handle.sync();
      await handle.close();
      await rename(temporary, file);
      return { path: file, sha256: sink.hash.digest('hex'), bytes: sink.bytes };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    await rm(temporary, { force: true });
    throw writeError(cause, `'${file}'`);
  }
}

/** What goes to one place of a data file: bytes at hand, or a range of a source data file. */
export interface DataPiece {
  /** Offset in the new file; ascending. */
  readonly target: number;
  readonly from: Uint8Array | Pick<ExternalRange, 'location' | 'offset' | 'length'>;
}

/**
 * Writes a data file from pieces, with zeros between them; under a temporary name, flushed and renamed.
 * @throws {KerfError} FILE_NOT_FOUND when the folder is missing or not writable, EXTERNAL_DATA when a source changed.
 */
export async function writeDataFile(
  file: string,
  pieces: readonly DataPiece[],
  source: ExternalFiles,
): Promise<WrittenFile> {
  return await writeFileAtomically(file, (sink) => copyPieces(pieces, source, sink));
}

/** Streams the pieces from memory and from their source files into the new data file. */
async function copyPieces(pieces: readonly DataPiece[], source: ExternalFiles, sink: FileSink): Promise<void> {
  const handles = new Map<string, FileHandle>();
  const buffer = new Uint8Array(COPY_BYTES);
  try {
    for (const { target, from } of pieces) {
      await sink.padTo(target);
      if (from instanceof Uint8Array) {
        await sink.writeTrue(from);
        continue;
      }
      const handle = await sourceHandle(handles, source, from.location);
      for (let done = 0; done < from.length; ) {
        const wanted = Math.min(buffer.byteLength, from.length - done);
        const { bytesRead } = await handle.read(buffer, 0, wanted, from.offset + done);
        if (bytesRead === 0) throw new KerfError('EXTERNAL_DATA', `'${from.location}' was cut short while it was read`);
        await sink.write(buffer.subarray(0, bytesRead));
        done += bytesRead;
      }
    }
  } finally {
    await Promise.all([...handles.values()].map((handle) => handle.close()));
  }
}

async function sourceHandle(
  handles: Map<string, FileHandle>,
  source: ExternalFiles,
  location: string,
): Promise<FileHandle> {
  const known = handles.get(location);
  if (known !== undefined) return known;
  const file = source.get(location);
  if (file === undefined) throw new KerfError('EXTERNAL_DATA', `no file is known for the location '${location}'`);
  const handle = await open(file.path, 'r');
  handles.set(location, handle);
  return handle;
}

/** Reads a TensorProto file. @throws {KerfError} FILE_NOT_FOUND, MODEL_MALFORMED, MODEL_UNSUPPORTED. */
export async function readTensorFile(file: string): Promise<NamedTensor> {
  try {
    return tensorFromProto(await readFile(file));
  } catch (cause) {
    throw KerfError.from(cause, 'FILE_NOT_FOUND', `the tensor '${file}' is not there or cannot be read`);
  }
}

/** Writes a TensorProto file. @throws {KerfError} FILE_NOT_FOUND, DISK_FULL. */
export async function writeTensorFile(file: string, { name, tensor }: NamedTensor): Promise<void> {
  try {
    await writeFile(file, concatChunks(tensorToProto(name, tensor)));
  } catch (cause) {
    throw writeError(cause, `'${file}'`);
  }
}
