// Roles of a repository and new keys for them -> metadata that says so, signed by those who may.
import { KerfError } from '@kerf/protocol';
import { keyIdOf, type TufKey } from '../../trust/keys.ts';
import { type RoleKeys, TOP_ROLES } from '../../trust/metadata.ts';
import type { MetadataStore } from '../../trust/update-trust.ts';
import type { KeyRing } from './key-folder.ts';
import { type ReleaseRoleBody, type RepositoryChange, RepositoryEditor } from './repository-editor.ts';
import { withRepositoryLock } from './repository-lock.ts';

export interface ReplaceOptions {
  readonly repository: string;
  /** Folders that hold the keys that sign, old ones and new ones. */
  readonly ring: KeyRing;
  readonly store: MetadataStore;
  readonly nowMs: number;
}

/** The keys that may sign for a role from now on. */
export interface NewKeys {
  /** `root`, `timestamp`, `snapshot`, `targets`, or a model's name. */
  readonly role: string;
  readonly keys: readonly TufKey[];
  readonly threshold: number;
}

/**
 * The keys that roles have, in their order. To be asked before new ones are made: whoever lacks what {@link rotateKeys} signs with
 * gets none.
 * @throws {KerfError} KEY_UNUSABLE, RELEASE_NOT_FOUND for a model that is not there.
 */
export async function keysToReplace(options: ReplaceOptions, roles: readonly string[]): Promise<RoleKeys[]> {
  return await withRepositoryLock(options.repository, async () => {
    const editor = await RepositoryEditor.open({ ...options, folder: options.repository });
    const found = roles.map((role) => keysOf(editor, role));
    const tops = TOP_ROLES.filter((role) => roles.includes(role));
    const isNeeded = { root: tops.length > 0, targets: tops.length < roles.length, snapshot: true, timestamp: true };
    for (const role of TOP_ROLES) {
      const isReplaced = role !== 'root' && roles.includes(role);
      if (isNeeded[role] && !isReplaced) await options.ring.signersOf(role, editor.root.roles[role]);
    }
    return found;
  });
}

/**
 * Gives roles other keys. For TUF's own roles that is a new root, signed by the keys of the old one and of the new one; for models,
 * new targets. What the roles had signed is signed again by the new keys. Roles whose keys are all lost are replaced together.
 * @throws {KerfError} KEY_UNUSABLE, RELEASE_NOT_FOUND for a model that is not there, RELEASE_CONFLICT.
 */
export async function rotateKeys(options: ReplaceOptions, roles: readonly NewKeys[]): Promise<void> {
  const next = new Map<string, RoleKeys>();
  for (const { role, keys, threshold } of roles) {
    if (keys.length < threshold || threshold < 1) {
      throw new KerfError('INVALID_ARGUMENT', `${threshold} of ${keys.length} keys can never sign`);
    }
    next.set(role, { keyids: keys.map(keyIdOf), threshold });
  }
  const fresh = roles.flatMap(({ keys }) => keys);
  await withRepositoryLock(options.repository, async () => {
    const editor = await RepositoryEditor.open({ ...options, folder: options.repository });
    await editor.commit({ ...rootWith(editor, next, fresh), ...(await targetsWith(editor, next, fresh)) });
  });
}

function rootWith(
  { root }: RepositoryEditor,
  next: ReadonlyMap<string, RoleKeys>,
  fresh: readonly TufKey[],
): RepositoryChange {
  const replaced = TOP_ROLES.filter((role) => next.has(role));
  if (replaced.length === 0) return {};
  const roles = { ...root.roles, ...Object.fromEntries(replaced.map((role) => [role, next.get(role) as RoleKeys])) };
  return { root: { roles, keys: usedKeys([...root.keys.values(), ...fresh], Object.values(roles)) } };
}

async function targetsWith(
  editor: RepositoryEditor,
  next: ReadonlyMap<string, RoleKeys>,
  fresh: readonly TufKey[],
): Promise<RepositoryChange> {
  const models = [...next.keys()].filter((role) => !TOP_ROLES.some((top) => top === role));
  if (models.length === 0) return {};
  const releases = new Map<string, ReleaseRoleBody>();
  for (const name of models) {
    keysOf(editor, name);
    const signed = await editor.releaseRole(name);
    if (signed !== null) releases.set(name, { targets: signed.targets, roles: [], keys: [] });
  }
  const { targets } = editor;
  const roles = targets.roles.map((role) => ({ ...role, ...next.get(role.name) }));
  const keys = usedKeys([...targets.keys.values(), ...fresh], roles);
  return { targets: { targets: targets.targets, roles, keys }, releases };
}

function keysOf({ root, targets }: RepositoryEditor, role: string): RoleKeys {
  const top = TOP_ROLES.find((one) => one === role);
  const found = top === undefined ? targets.roles.find(({ name }) => name === role) : root.roles[top];
  if (found !== undefined) return found;
  throw new KerfError('RELEASE_NOT_FOUND', `the repository has no model '${role}'`);
}

/** Keys that a role names; the others have no business in metadata. */
function usedKeys(keys: readonly TufKey[], roles: readonly RoleKeys[]): TufKey[] {
  const wanted = new Set(roles.flatMap(({ keyids }) => keyids));
  const byId = new Map(keys.map((key) => [keyIdOf(key), key]));
  return [...byId].filter(([keyid]) => wanted.has(keyid)).map(([, key]) => key);
}
