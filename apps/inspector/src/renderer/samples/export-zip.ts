// The files of a data set -> one zip, made in this page from the pictures as the station has them.
import type { InspectorBridge, SamplesExport } from '@kerf/bridge';
import { KerfError } from '@kerf/protocol';
import { strToU8, Zip, ZipPassThrough } from 'fflate';

/** Pictures are compressed already: they are stored. Bytes go into the blob as they come, and need no memory of the page. */
export async function exportZip(
  bridge: InspectorBridge,
  { files }: SamplesExport,
  signal: AbortSignal,
  onProgress: (done: number, all: number) => void,
): Promise<Blob> {
  let blob = new Blob([], { type: 'application/zip' });
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  let fault: Error | null = null;
  const zip = new Zip((error, chunk) => {
    if (error !== null) fault = error;
    else waiting.push(chunk as Uint8Array<ArrayBuffer>);
  });
  const settle = (): void => {
    if (fault !== null) throw fault;
    blob = new Blob([blob, ...waiting], { type: 'application/zip' });
    waiting = [];
  };
  for (const [done, file] of files.entries()) {
    if (signal.aborted) throw new KerfError('CANCELLED', 'the export was cancelled');
    onProgress(done, files.length);
    const bytes = 'text' in file ? strToU8(file.text) : await pictureOf(bridge, file.picture);
    // It was given up meanwhile for want of room: the others are still worth having.
    if (bytes === null) continue;
    const entry = new ZipPassThrough(file.path);
    zip.add(entry);
    entry.push(bytes, true);
    settle();
  }
  zip.end();
  settle();
  onProgress(files.length, files.length);
  return blob;
}

async function pictureOf(bridge: InspectorBridge, id: string): Promise<Uint8Array | null> {
  return (await bridge.call('samples.picture', { id, full: true }))?.bytes ?? null;
}
