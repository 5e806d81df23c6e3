// A publisher of tests: a repository in a folder with cheap keys, and releases of small files.
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FormatVersion } from '@kerf/delta-sync';
import {
  addKey,
  createRepository,
  draftRelease,
  folderStore,
  KeyRing,
  type PublishReport,
  publishRelease,
} from '@kerf/delta-sync/node';

const PASSPHRASE = 'correct horse';
/** Cheap, so that the test does not wait for what makes guessing slow. */
const SCRYPT_N = 2 ** 14;

export interface Publisher {
  readonly folder: string;
  /** Folder of the repository. */
  readonly repository: string;
  readonly keys: string;
  /** Folder of what it trusts. */
  readonly trusted: string;
  /** Publishes a file or a folder into the repository. */
  publish(
    name: string,
    version: string,
    place: string,
    deltasFrom?: number,
    deltaFormat?: FormatVersion,
  ): Promise<PublishReport>;
  /** A file of the publisher's own to publish. */
  write(name: string, content: Uint8Array | string): Promise<string>;
  remove(): Promise<void>;
}

/** A look that was given up may still write into the folder. */
const REMOVAL = { recursive: true, force: true, maxRetries: 10 } as const;

/** @param names of models, each with a key of its own */
export async function makePublisher(names: readonly string[]): Promise<Publisher> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kerf-publisher-'));
  const [repository, keys, rootKeys] = [
    path.join(folder, 'repository'),
    path.join(folder, 'keys'),
    path.join(folder, 'safe'),
  ];
  const store = folderStore(path.join(keys, 'trusted'));
  await createRepository({
    repository,
    keys,
    rootKeys,
    passphrase: PASSPHRASE,
    rootCount: 1,
    rootThreshold: 1,
    scryptN: SCRYPT_N,
    store,
    nowMs: Date.now(),
  });
  for (const name of names) await addKey(keys, name, PASSPHRASE, SCRYPT_N);
  return publisherOf(folder, repository, keys, path.join(keys, 'trusted'), () => rm(folder, REMOVAL));
}

/** Another one with the same keys and a repository of its own. */
export async function colleagueOf(other: Publisher): Promise<Publisher> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kerf-publisher-'));
  const trusted = path.join(folder, 'trusted');
  await mkdir(trusted);
  await copyFile(path.join(other.repository, 'metadata/1.root.json'), path.join(trusted, 'root.json'));
  const remove = (): Promise<void> => rm(folder, REMOVAL);
  return publisherOf(folder, path.join(folder, 'repository'), other.keys, trusted, remove);
}

function publisherOf(
  folder: string,
  repository: string,
  keys: string,
  trusted: string,
  remove: () => Promise<void>,
): Publisher {
  return {
    folder,
    repository,
    keys,
    trusted,
    remove,
    async write(name, content) {
      const file = path.join(folder, 'files', name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
      return file;
    },
    async publish(name, version, place, deltasFrom = 0, deltaFormat) {
      const draft = await draftRelease({ place });
      try {
        return await publishRelease({
          repository,
          ring: await KeyRing.open([keys], PASSPHRASE, repository),
          store: folderStore(trusted),
          nowMs: Date.now(),
          draft,
          deltasFrom,
          ...(deltaFormat === undefined ? {} : { deltaFormat }),
          words: {
            name,
            version,
            tails: [],
            runtime: { kerf: null, onnxruntime: null },
            station: {},
            golden: null,
            snapped: null,
            notes: '',
            createdBy: 'test',
          },
        });
      } finally {
        await draft.close();
      }
    },
  };
}
