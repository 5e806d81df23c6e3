// The URL of a folder that `kerf split` wrote -> a split that is ready to run.
import { type Backend, KerfError, type LoadOptions, type ModelSource, messageOf, type SplitPart } from '@kerf/protocol';
import { loadSplit, type OpenedSplit } from '../session/split-files.ts';

export interface OpenSplitUrlOptions {
  readonly backend: Backend;
  /** Loads the tail too, so that the device can finish frames when the cloud is away. @default false */
  readonly withTail?: boolean;
  readonly load?: LoadOptions;
}

/**
 * Fetches split.json and what it names, and checks every file against its hashes.
 * @throws {KerfError} FILE_NOT_FOUND, MANIFEST_INVALID, PAIR_MISMATCH, MODEL_UNSUPPORTED.
 */
export function openSplitUrl(
  folderUrl: string,
  { backend, withTail = false, load = {} }: OpenSplitUrlOptions,
): Promise<OpenedSplit> {
  const base = new URL(folderUrl.replace(/\/?$/, '/'), location.href);
  const files = {
    read: (file: string) => fetchBytes(new URL(encodeURIComponent(file), base), file),
    source: ({ externalData }: SplitPart, bytes: Uint8Array, data: Uint8Array | null): ModelSource =>
      data === null || externalData === null ? { bytes } : { bytes, externalData: [{ path: externalData.file, data }] },
  };
  return loadSplit(files, { backend, withTail, load });
}

async function fetchBytes(url: URL, file: string): Promise<Uint8Array> {
  let said: string;
  try {
    const response = await fetch(url);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    said = `the server says ${response.status}`;
  } catch (error) {
    said = messageOf(error);
  }
  throw new KerfError('FILE_NOT_FOUND', `${file} cannot be fetched: ${said}`);
}
