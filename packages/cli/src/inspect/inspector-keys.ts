// A state folder -> one secret for each role, made at first use and kept, so that a tablet's bookmark outlives a restart.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROLES, type Role } from '@kerf/bridge';
import { KerfError, messageOf } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { makeSecret } from '../addresses.ts';

export const KEYS_FILE = 'inspector-keys.json';
/** 99 bits: they live long and are open to a network. */
const GROUPS = 5;
const SECRET = /^[a-z0-9-]{20,}$/;

/**
 * @param renew makes new ones: every address that was given out stops working
 * @throws {KerfError} INVALID_ARGUMENT for a file that is not ours, FILE_NOT_FOUND when the folder cannot be written.
 */
export async function inspectorKeys(stateDir: string, renew: boolean): Promise<ReadonlyMap<Role, string>> {
  const path = join(stateDir, KEYS_FILE);
  const text = renew ? null : await readFile(path, 'utf8').catch(absent);
  if (text !== null) return parse(text, path);
  const keys = new Map(ROLES.map((role) => [role, makeSecret(GROUPS)]));
  try {
    await makeFolders(stateDir, 0o700);
    await writeFile(`${path}.new`, `${JSON.stringify(Object.fromEntries(keys), null, 2)}\n`, { mode: 0o600 });
    await rename(`${path}.new`, path);
  } catch (cause) {
    const message = `the addresses cannot be kept in ${stateDir}: ${messageOf(cause)}; choose another --state folder`;
    throw new KerfError('FILE_NOT_FOUND', message, { cause });
  }
  return keys;
}

function absent(error: unknown): null {
  const { code } = error as { code?: string };
  if (code === 'ENOENT' || code === 'ENOTDIR') return null;
  throw error;
}

function parse(text: string, path: string): ReadonlyMap<Role, string> {
  const invalid = new KerfError(
    'INVALID_ARGUMENT',
    `${path} does not hold the Inspector's keys; --new-keys makes new ones`,
  );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid;
  }
  const keys = new Map(ROLES.map((role) => [role, (value as Record<string, unknown> | null)?.[role]]));
  const secrets = [...keys.values()];
  const isValid = secrets.every((secret) => typeof secret === 'string' && SECRET.test(secret));
  if (!isValid || new Set(secrets).size < secrets.length) throw invalid;
  return keys as ReadonlyMap<Role, string>;
}
