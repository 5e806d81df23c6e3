// The worker process: two files of releases -> the delta between them, in a file. Speaks with its parent over Node's own channel.
import { type FileHandle, open } from 'node:fs/promises';
import process from 'node:process';
import { encodeDelta, modelLayout, type SourceFile } from '@kerf/delta-sync';
import { type FileReader, nodeHasher, openFileReader } from '@kerf/delta-sync/node';
import { readModel } from '@kerf/onnx';
import { KerfError, messageOf } from '@kerf/protocol';
import type { DeltaJob, JobFile, WorkerMessage } from './jobs.ts';

const PROGRESS_MS = 500;

process.once('message', (job: DeltaJob) => {
  makeDelta(job).then(
    (deltaBytes) => send({ type: 'made', deltaBytes }),
    (error: unknown) => send({ type: 'failed', reason: KerfError.is(error) ? error.message : messageOf(error) }),
  );
});
// A parent that is gone needs nothing.
process.once('disconnect', () => process.exit(1));

function send(message: WorkerMessage): void {
  process.send?.(message);
}

async function makeDelta({ base, target, out, format }: DeltaJob): Promise<number> {
  const readers: FileReader[] = [];
  try {
    let lastMs = 0;
    const sources = {
      base: base === null ? [] : [await sourceOf(base, readers)],
      target: [await sourceOf(target, readers)],
    };
    const { chunks, report } = await encodeDelta({
      ...sources,
      makeHasher: nodeHasher,
      ...(format === null ? {} : { format }),
      onProgress(doneBytes) {
        if (performance.now() - lastMs < PROGRESS_MS) return;
        lastMs = performance.now();
        send({ type: 'progress', doneBytes });
      },
    });
    await writeChunks(out, chunks);
    return report.deltaBytes;
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

async function sourceOf(file: JobFile, readers: FileReader[]): Promise<SourceFile> {
  const tensors = file.model === null ? [] : await tensorsOf(file);
  const reader = await openFileReader(file.path);
  readers.push(reader);
  return { name: file.name, sha256: file.sha256, reader, tensors, isModel: file.model?.path === file.path };
}

/** A model knows its own tensors and those of its data files. What kerf does not understand is still a file. */
async function tensorsOf({ model, path, name }: JobFile): Promise<SourceFile['tensors']> {
  if (model === null) return [];
  const reader = await openFileReader(model.path);
  try {
    const layout = modelLayout(readModel(await reader.read(0, reader.byteLength)));
    return layout.get(model.path === path ? '' : name) ?? [];
  } catch (error) {
    if (KerfError.is(error) && error.code.startsWith('MODEL_')) return [];
    throw error;
  } finally {
    await reader.close();
  }
}

async function writeChunks(out: string, chunks: readonly Uint8Array[]): Promise<void> {
  const handle: FileHandle = await open(out, 'wx', 0o600);
  try {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.byteLength; ) at += (await handle.write(chunk, at)).bytesWritten;
    }
  } finally {
    await handle.close();
  }
}
