// Folders of key files -> who can sign for a role. Keys never lie in a repository.
import { readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { KerfError, messageOf } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { keyIdOf } from '../../trust/keys.ts';
import { type RoleKeys, TOP_ROLES } from '../../trust/metadata.ts';
import type { Signer } from '../../trust/sign-metadata.ts';
import { createFile } from '../atomic-file.ts';
import { type KeyInfo, newKey, openKeyFile, publicKeyOf, readKeyInfo, writeKeyFile } from './key-file.ts';

export interface KeyFile extends KeyInfo {
  readonly path: string;
}

const SUFFIX = '.key.json';

/** Keys of a folder, by role and then by id. @throws {KerfError} FILE_NOT_FOUND, KEY_UNUSABLE. */
export async function listKeys(folder: string): Promise<KeyFile[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing ? 'is not there: kerf keys init makes one' : `cannot be read: ${messageOf(cause)}`;
    throw KerfError.from(cause, 'FILE_NOT_FOUND', `the folder of keys '${folder}' ${why}`);
  }
  const keys: KeyFile[] = [];
  for (const name of names.filter((one) => one.endsWith(SUFFIX)).sort()) {
    const file = path.join(folder, name);
    keys.push({ ...readKeyInfo(new Uint8Array(await readFile(file)), name), path: file });
  }
  return keys;
}

/** Makes a key and its file, readable for its owner only. @param scryptN as for {@link writeKeyFile} */
export async function addKey(folder: string, role: string, passphrase: string, scryptN?: number): Promise<KeyFile> {
  await makeFolders(folder, 0o700);
  const privateKey = newKey();
  const key = publicKeyOf(privateKey);
  const keyid = keyIdOf(key);
  const file = path.join(folder, `${role}-${keyid.slice(0, 12)}${SUFFIX}`);
  await createFile(file, await writeKeyFile(role, privateKey, passphrase, scryptN), 0o600);
  return { role, keyid, key, path: file };
}

/** Opens keys of folders when they are first asked for. */
export class KeyRing {
  readonly #files: readonly KeyFile[];
  readonly #passphrase: string;
  readonly #opened = new Map<string, Signer>();

  private constructor(files: readonly KeyFile[], passphrase: string) {
    this.#files = files;
    this.#passphrase = passphrase;
  }

  /** @throws {KerfError} KEY_UNUSABLE when a folder of keys lies in the repository, or the other way round. */
  static async open(folders: readonly string[], passphrase: string, repository: string): Promise<KeyRing> {
    const files: KeyFile[] = [];
    for (const folder of folders) {
      await checkApart(folder, repository);
      files.push(...(await listKeys(folder)));
    }
    return new KeyRing(files, passphrase);
  }

  get files(): readonly KeyFile[] {
    return this.#files;
  }

  /** Whether enough keys of a role are here; their passphrase is not tried. */
  canSign({ keyids, threshold }: RoleKeys): boolean {
    return this.#files.filter(({ keyid }) => keyids.includes(keyid)).length >= threshold;
  }

  /**
   * As many signers of a role as these folders hold, at least its threshold.
   * @throws {KerfError} KEY_UNUSABLE when there are fewer.
   */
  async signersOf(role: string, { keyids, threshold }: RoleKeys): Promise<Signer[]> {
    const files = this.#files.filter(({ keyid }) => keyids.includes(keyid));
    if (files.length < threshold) {
      throw new KerfError(
        'KEY_UNUSABLE',
        `'${role}' needs ${threshold} of the keys ${keyids.map((id) => id.slice(0, 12)).join(', ')}; ` +
          `${files.length} of them are here: name the folder of the others with --keys too; ${whenLost(role)}`,
      );
    }
    const signers: Signer[] = [];
    for (const file of files) signers.push(await this.#open(file));
    return signers;
  }

  async #open({ keyid, path: file }: KeyFile): Promise<Signer> {
    const known = this.#opened.get(keyid);
    if (known !== undefined) return known;
    const signer = await openKeyFile(new Uint8Array(await readFile(file)), path.basename(file), this.#passphrase);
    this.#opened.set(keyid, signer);
    return signer;
  }
}

function whenLost(role: string): string {
  if (role === 'root') return 'where they are lost, nobody can replace a key of this repository: make another one';
  const signer = TOP_ROLES.some((one) => one === role) ? 'root' : 'targets';
  return `where they are lost, kerf keys rotate ${role} (or several roles at once) replaces them, with the keys of ${signer}`;
}

/** @throws {KerfError} KEY_UNUSABLE. */
export async function checkApart(keys: string, repository: string): Promise<void> {
  const [a, b] = [await realPath(keys), await realPath(repository)];
  const isInside = (inner: string, outer: string): boolean => `${inner}${path.sep}`.startsWith(`${outer}${path.sep}`);
  if (!isInside(a, b) && !isInside(b, a)) return;
  throw new KerfError(
    'KEY_UNUSABLE',
    'keys and the repository must not lie in each other: whoever serves the repository would serve the keys; name another folder',
  );
}

/** Of a path whose last parts need not be there yet. */
async function realPath(place: string): Promise<string> {
  const full = path.resolve(place);
  try {
    return await realpath(full);
  } catch {
    const parent = path.dirname(full);
    return parent === full ? full : path.join(await realPath(parent), path.basename(full));
  }
}
