// Folders of keys and a repository -> the first metadata, and what expires signed anew.
import { readdir } from 'node:fs/promises';
import { KerfError } from '@kerf/protocol';
import { keyIdOf, type TufKey } from '../../trust/keys.ts';
import { type RoleKeys, TOP_ROLES, type TopRole } from '../../trust/metadata.ts';
import type { MetadataStore } from '../../trust/update-trust.ts';
import { type ExpiryRole, expiryMs } from './expiry.ts';
import { writeFirstMetadata } from './first-metadata.ts';
import { addKey, checkApart, KeyRing } from './key-folder.ts';
import { type ReleaseRoleBody, RepositoryEditor } from './repository-editor.ts';
import { withRepositoryLock } from './repository-lock.ts';

export interface CreateOptions {
  readonly repository: string;
  /** For all roles but root. */
  readonly keys: string;
  /** For the keys of root, which belong on a stick in a safe. */
  readonly rootKeys: string;
  readonly passphrase: string;
  /** How many root keys to make, and how many of them must sign. */
  readonly rootCount: number;
  readonly rootThreshold: number;
  /** As for `writeKeyFile`. */
  readonly scryptN?: number;
  readonly store: MetadataStore;
  readonly nowMs: number;
}

/**
 * Makes keys for all roles and a repository without releases.
 * @returns root.json, which devices are shipped with
 * @throws {KerfError} FILE_EXISTS when the folder holds a repository; KEY_UNUSABLE, INVALID_ARGUMENT.
 */
export async function createRepository(options: CreateOptions): Promise<Uint8Array> {
  const { repository, keys, rootKeys, passphrase, rootCount, rootThreshold, scryptN, store, nowMs } = options;
  if (rootThreshold > rootCount) {
    throw new KerfError('INVALID_ARGUMENT', `${rootThreshold} of ${rootCount} root keys can never sign`);
  }
  for (const folder of [keys, rootKeys]) await checkApart(folder, repository);
  if ((await readdir(`${repository}/metadata`).catch(() => [])).length > 0) {
    throw new KerfError('FILE_EXISTS', `'${repository}' holds a repository already: name another folder`);
  }
  const made = new Map<TopRole, TufKey[]>();
  for (const role of TOP_ROLES) {
    const count = role === 'root' ? rootCount : 1;
    const folder = role === 'root' ? rootKeys : keys;
    const list: TufKey[] = [];
    for (let at = 0; at < count; at++) list.push((await addKey(folder, role, passphrase, scryptN)).key);
    made.set(role, list);
  }
  const roleOf = (role: TopRole): RoleKeys => ({
    keyids: (made.get(role) ?? []).map(keyIdOf),
    threshold: role === 'root' ? rootThreshold : 1,
  });
  const ring = await KeyRing.open([...new Set([keys, rootKeys])], passphrase, repository);
  const roles = {
    root: roleOf('root'),
    timestamp: roleOf('timestamp'),
    snapshot: roleOf('snapshot'),
    targets: roleOf('targets'),
  };
  const root = await writeFirstMetadata({ folder: repository, nowMs, keys: [...made.values()].flat(), roles, ring });
  await store.write('root.json', root);
  return root;
}

export interface RefreshOptions {
  readonly repository: string;
  readonly ring: KeyRing;
  readonly store: MetadataStore;
  readonly nowMs: number;
}

/** When a role's metadata expires. */
export interface RoleExpiry {
  readonly role: string;
  readonly expiresMs: number;
  readonly isRefreshed: boolean;
  /** Less than a third of its time is left, and too few of its keys are here to sign it anew. */
  readonly isDue: boolean;
}

/**
 * Signs timestamp and snapshot anew, so that devices know that nothing is held back from them; and every other role that
 * has less than a third of its time left, where its keys are here.
 * @returns all roles, the one that expires first in front
 */
export async function refreshRepository({ repository, ring, store, nowMs }: RefreshOptions): Promise<RoleExpiry[]> {
  return await withRepositoryLock(repository, async () => {
    const editor = await RepositoryEditor.open({ folder: repository, ring, store, nowMs });
    const { root, targets } = editor;
    const isNear = (role: ExpiryRole, expiresMs: number): boolean =>
      expiresMs - nowMs < (expiryMs(role, nowMs) - nowMs) / 3;
    const isDue = (role: ExpiryRole, expiresMs: number, signers: RoleKeys): boolean =>
      isNear(role, expiresMs) && ring.canSign(signers);
    const expiries: RoleExpiry[] = [];
    const note = (role: string, kind: ExpiryRole, expiresMs: number, isRefreshed: boolean): void => {
      expiries.push({
        role,
        expiresMs: isRefreshed ? expiryMs(kind, nowMs) : expiresMs,
        isRefreshed,
        isDue: !isRefreshed && isNear(kind, expiresMs),
      });
    };
    const isRootDue = isDue('root', root.expiresMs, root.roles.root);
    note('root', 'root', root.expiresMs, isRootDue);
    const areTargetsDue = isDue('targets', targets.expiresMs, root.roles.targets);
    note('targets', 'targets', targets.expiresMs, areTargetsDue);
    const due = new Map<string, ReleaseRoleBody>();
    for (const role of targets.roles) {
      const signed = await editor.releaseRole(role.name);
      if (signed === null) continue;
      const isRefreshed = isDue('release', signed.expiresMs, role);
      note(role.name, 'release', signed.expiresMs, isRefreshed);
      if (isRefreshed) due.set(role.name, { targets: signed.targets, roles: [], keys: [] });
    }
    await editor.commit({
      ...(isRootDue ? { root: { keys: root.keys.values(), roles: root.roles } } : {}),
      ...(areTargetsDue ? { targets: { ...targets, keys: targets.keys.values() } } : {}),
      ...(due.size > 0 ? { releases: due } : {}),
    });
    note('snapshot', 'snapshot', 0, true);
    note('timestamp', 'timestamp', 0, true);
    return expiries.sort((x, y) => x.expiresMs - y.expiresMs);
  });
}
