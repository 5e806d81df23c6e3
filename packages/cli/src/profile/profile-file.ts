// A profile -> a JSON file with an entry a line, which never replaces a file that is no profile.
import { randomBytes } from 'node:crypto';
import { access, constants, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { KerfError } from '@kerf/protocol';
import { writeError } from '@kerf/protocol/node';
import { type CodecProfile, type DeviceProfile, LINK_FORMAT, type LinkProfile, PROFILE_FORMAT } from '@kerf/splitter';

/** Larger than any profile: nobody reads that to see what it is. */
const MAX_PROFILE_BYTES = 256 * 1024 * 1024;

/** `models/part.onnx` -> `part.profile.json`. */
export function profileFileOf(modelPath: string): string {
  return `${basename(modelPath).replace(/\.onnx$/i, '')}.profile.json`;
}

/**
 * To be asked before a long measurement.
 * @throws {KerfError} FILE_EXISTS when something is there that is no profile, FILE_NOT_FOUND when the folder is missing
 * or not writable.
 */
export async function checkProfileTarget(path: string): Promise<void> {
  await checkFolderOf(path);
  const found = await stat(path).catch(() => null);
  if (found === null || (await isProfile(path, found.size))) return;
  throw new KerfError('FILE_EXISTS', `${path} is there and is no profile; name another file with --out`);
}

/** To be asked before long work. @throws {KerfError} FILE_NOT_FOUND when the folder of the file is missing or not writable. */
export async function checkFolderOf(path: string): Promise<void> {
  await access(dirname(resolve(path)), constants.W_OK).catch((cause: unknown) => {
    throw writeError(cause, `'${path}'`);
  });
}

async function isProfile(path: string, size: number): Promise<boolean> {
  if (size > MAX_PROFILE_BYTES) return false;
  try {
    const found = JSON.parse(await readFile(path, 'utf8')) as { format?: unknown } | null;
    return found?.format === PROFILE_FORMAT || found?.format === LINK_FORMAT;
  } catch {
    return false;
  }
}

/** Whole or not at all. @throws {KerfError} FILE_NOT_FOUND when the folder is missing or not writable. */
export async function writeProfile(path: string, profile: DeviceProfile | LinkProfile | CodecProfile): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(draft, `${profileText(profile)}\n`);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw writeError(cause, `the profile ${path}`);
  }
}

/** JSON that people can read and edit: lists have an entry a line. */
export function profileText(profile: DeviceProfile | LinkProfile | CodecProfile): string {
  const fields = Object.entries(profile).map(([name, value]) => {
    const isList = Array.isArray(value) && value.length > 0;
    const text = isList
      ? `[\n${value.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')}\n  ]`
      : JSON.stringify(value);
    return `  ${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${fields.join(',\n')}\n}`;
}
