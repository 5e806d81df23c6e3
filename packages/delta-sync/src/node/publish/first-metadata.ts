// Keys of the four roles -> a new repository, which has no release yet.
import { makeFolders } from '@kerf/protocol/node';
import { REPOSITORY_PATHS } from '../../release/repository-layout.ts';
import type { TufKey } from '../../trust/keys.ts';
import type { MetaFile } from '../../trust/metadata.ts';
import {
  metaOfBytes,
  type RootBody,
  rootJson,
  signMetadata,
  snapshotJson,
  targetsJson,
  timestampJson,
} from '../../trust/sign-metadata.ts';
import { TrustedMetadata } from '../../trust/trusted-metadata.ts';
import { expiryMs } from './expiry.ts';
import type { KeyRing } from './key-folder.ts';
import { writeInto } from './write-metadata.ts';

export interface FirstRoles {
  readonly folder: string;
  readonly nowMs: number;
  readonly keys: readonly TufKey[];
  readonly roles: RootBody['roles'];
  readonly ring: KeyRing;
}

/** The first metadata of a repository: an empty list of names. Returns root.json, which devices are shipped with. */
export async function writeFirstMetadata({ folder, nowMs, keys, roles, ring }: FirstRoles): Promise<Uint8Array> {
  const version = 1;
  const root = await signMetadata(
    rootJson({ version, expiresMs: expiryMs('root', nowMs), keys, roles }),
    await ring.signersOf('root', roles.root),
  );
  const targets = await signMetadata(
    targetsJson({ version, expiresMs: expiryMs('targets', nowMs), targets: new Map(), roles: [], keys: [] }),
    await ring.signersOf('targets', roles.targets),
  );
  const meta = new Map<string, MetaFile>([['targets.json', metaOfBytes(version, targets)]]);
  const snapshot = await signMetadata(
    snapshotJson({ version, expiresMs: expiryMs('snapshot', nowMs), meta }),
    await ring.signersOf('snapshot', roles.snapshot),
  );
  const timestamp = await signMetadata(
    timestampJson({
      version,
      expiresMs: expiryMs('timestamp', nowMs),
      snapshot: metaOfBytes(version, snapshot),
      signedAtMs: nowMs,
    }),
    await ring.signersOf('timestamp', roles.timestamp),
  );
  new TrustedMetadata(root, nowMs).updateTimestamp(timestamp);
  await makeFolders(folder);
  for (const [role, bytes] of Object.entries({ root, targets, snapshot, timestamp })) {
    await writeInto(folder, REPOSITORY_PATHS.metadata(role, version), bytes);
  }
  return root;
}
