// The server's files -> the bytes of the model and of its external data, in the memory of this worker.
import { type ExternalData, KerfError, makeTensor, type Tensor, type TensorMap } from '@kerf/protocol';
import type { ReadExternal } from '@kerf/splitter';
import type { ProfileJob } from './job.ts';

export interface LoadedFiles {
  readonly bytes: Uint8Array;
  readonly externalData: readonly ExternalData[];
  readonly readExternal: ReadExternal;
  readonly inputs: TensorMap;
}

/** @throws {KerfError} LINK_LOST when the server does not answer, EXTERNAL_DATA or MODEL_MALFORMED when a file changed. */
export async function loadModelFiles(
  job: ProfileJob,
  onBytes: (doneBytes: number, totalBytes: number) => void,
): Promise<LoadedFiles> {
  const { model, externalData: dataFiles, inputs: tensors } = job;
  const totalBytes = [model, ...dataFiles, ...tensors].reduce((sum, { bytes }) => sum + bytes, 0);
  let doneBytes = 0;
  const count = (bytes: number): void => onBytes((doneBytes += bytes), totalBytes);
  const bytes = await fetchExactly('model', model.bytes, count);
  const externalData: ExternalData[] = [];
  for (const [index, file] of dataFiles.entries()) {
    externalData.push({ path: file.location, data: await fetchExactly(`external/${index}`, file.bytes, count) });
  }
  const inputs = new Map<string, Tensor>();
  for (const [index, { name, dtype, shape, bytes }] of tensors.entries()) {
    inputs.set(name, makeTensor(dtype, shape, await fetchExactly(`input/${index}`, bytes, count)));
  }
  const readExternal: ReadExternal = (location, offset, length) => {
    const data = externalData.find(({ path }) => path === location)?.data;
    if (data === undefined) throw new KerfError('EXTERNAL_DATA', `no file is known for the location '${location}'`);
    return Promise.resolve(data.subarray(offset, offset + length));
  };
  return { bytes, externalData, readExternal, inputs };
}

/** Into memory of the size that the job stated, so that no answer takes more. */
async function fetchExactly(path: string, bytes: number, onBytes: (bytes: number) => void): Promise<Uint8Array> {
  const data = new Uint8Array(bytes);
  let at = 0;
  try {
    const response = await fetch(new URL(path, location.href));
    if (!response.ok || response.body === null) throw changed(path);
    const reader = response.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      if (at + read.value.byteLength > bytes) throw changed(path);
      data.set(read.value, at);
      at += read.value.byteLength;
      onBytes(read.value.byteLength);
    }
  } catch (cause) {
    throw KerfError.from(cause, 'LINK_LOST', "the computer that runs 'kerf profile' does not answer");
  }
  if (at !== bytes) throw changed(path);
  return data;
}

function changed(path: string): KerfError {
  return path === 'model'
    ? new KerfError('MODEL_MALFORMED', "the model's file has changed since 'kerf profile' was started: start it again")
    : new KerfError('EXTERNAL_DATA', "a data file has changed since 'kerf profile' was started: start it again");
}
