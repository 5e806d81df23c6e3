// A station file, JSON or YAML -> a checked configuration, and the folder that its paths are relative to.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { KerfError } from '@kerf/protocol';
import { problem } from '../../config/shape.ts';
import { parseStationConfig, type StationConfig } from '../../station/station-file.ts';

/** A station file has a few kilobytes. */
const MAX_FILE_BYTES = 2 ** 20;

export interface StationFile {
  readonly path: string;
  /** What relative paths in it are relative to. */
  readonly folder: string;
  readonly config: StationConfig;
  /** Hex SHA-256 of its bytes. */
  readonly sha256: string;
}

/** @throws {KerfError} FILE_NOT_FOUND, CONFIG_INVALID naming line or path of what is wrong. */
export async function readStationFile(path: string): Promise<StationFile> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `the station file ${path} is not there or cannot be read`, { cause });
  });
  if (bytes.byteLength > MAX_FILE_BYTES)
    throw problem('', `has ${bytes.byteLength} bytes; ${MAX_FILE_BYTES} are allowed`);
  const config = parseStationConfig(await parseText(bytes.toString('utf8')));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, folder: dirname(resolve(path)), config, sha256 };
}

/** YAML 1.2 holds JSON. */
async function parseText(source: string): Promise<unknown> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(source, { prettyErrors: true, uniqueKeys: true });
  const [fault] = document.errors;
  if (fault !== undefined) {
    const line = fault.linePos?.[0].line;
    const [first = ''] = fault.message.split('\n', 1);
    const what = first.replace(/ at line \d+, column \d+:?$/, '');
    throw problem('', `is not YAML or JSON${line === undefined ? '' : ` at line ${line}`}: ${what}`);
  }
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    throw problem('', `cannot be used: ${(error as Error).message}`);
  }
}
