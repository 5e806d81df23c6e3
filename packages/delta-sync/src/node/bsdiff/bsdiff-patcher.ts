// bsdiff-node, in a process of its own for each patch -> a maker of patches that can fail alone.
//
// Its native code trusts its input, ends its process when memory runs out, and cannot be cancelled (docs/delta.md). It runs where
// a release is published, never on a device, and what it makes is decoded by kerf before it counts.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { messageOf, startedFile } from '@kerf/protocol';
import type { BytePatcher } from '../../encode/byte-rival.ts';
import { type BsdiffJob, EXIT, type ExitCode } from './bsdiff-job.ts';

export interface BsdiffLimits {
  /** Of the process: it needs 17 bytes for each old one and 3 for each new one besides its own. @default 512 */
  readonly maxMemoryMib?: number;
  /** For each patch. @default 60000 */
  readonly timeoutMs?: number;
  /** @default the system's folder for temporary files */
  readonly temporaryFolder?: string;
}

export interface BsdiffPatcher {
  readonly patch: BytePatcher;
  /** Why patches were not made, each reason once. */
  readonly skipped: readonly string[];
}

const MIB = 1024 * 1024;
/** What Node takes itself. */
const PROCESS_BYTES = 96 * MIB;
/** bsdiff-node copies paths into 1024 bytes without looking. */
const MAX_PATH_BYTES = 900;
/** None of the publisher's secrets. */
const ENVIRONMENT = /^(PATH|SYSTEMROOT|TEMP|TMP|TMPDIR|LANG)$/i;

export function bsdiffPatcher({ maxMemoryMib = 512, timeoutMs = 60_000, ...rest }: BsdiffLimits = {}): BsdiffPatcher {
  const reasons = new Set<string>();
  let isMissing = false;
  const patch: BytePatcher = async (old, fresh, maxPatchBytes) => {
    if (isMissing) return null;
    const neededBytes = 17 * old.byteLength + 3 * fresh.byteLength + PROCESS_BYTES;
    if (neededBytes > maxMemoryMib * MIB) {
      reasons.add(`bsdiff would need ${Math.ceil(neededBytes / MIB)} MiB, more than its ${maxMemoryMib} MiB`);
      return null;
    }
    try {
      return await withFolder(rest.temporaryFolder ?? tmpdir(), async (folder) => {
        const job = { ...(await writeJob(folder, old, fresh)), maxRssBytes: maxMemoryMib * MIB };
        const ending = await runWorker(job, timeoutMs);
        if (ending === EXIT.made) {
          return (await stat(job.patch)).size <= maxPatchBytes ? new Uint8Array(await readFile(job.patch)) : null;
        }
        isMissing = ending === EXIT.missing;
        reasons.add(reasonOf(ending, maxMemoryMib, timeoutMs));
        return null;
      });
    } catch (error) {
      reasons.add(`bsdiff could not be run: ${messageOf(error)}`);
      return null;
    }
  };
  return {
    patch,
    get skipped() {
      return [...reasons];
    },
  };
}

async function withFolder<Result>(parent: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(path.join(parent, 'kerf-bsdiff-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeJob(folder: string, old: Uint8Array, fresh: Uint8Array): Promise<Omit<BsdiffJob, 'maxRssBytes'>> {
  if (Buffer.byteLength(folder) > MAX_PATH_BYTES) throw new Error('the path of its temporary folder is too long');
  const [oldFile, freshFile, patch] = ['old', 'new', 'patch'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(oldFile, old);
  await writeFile(freshFile, fresh);
  return { folder, old: oldFile, fresh: freshFile, patch };
}

/** @returns the process's exit code; null when it was killed, by the time limit or from outside. */
async function runWorker(job: BsdiffJob, timeoutMs: number): Promise<ExitCode | 'late' | null> {
  const child = fork(startedFile('bsdiff-main', import.meta.url), {
    execArgv: [],
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => ENVIRONMENT.test(name))),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  try {
    const ended = once(child, 'exit') as Promise<[number | null]>;
    // A process that is gone already says so by its exit.
    child.send(job, () => undefined);
    const [code] = await ended;
    return isLate ? 'late' : (code as ExitCode | null);
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

function reasonOf(ending: ExitCode | 'late' | null, maxMemoryMib: number, timeoutMs: number): string {
  if (ending === EXIT.missing) return 'bsdiff-node is not installed, or its native part was not built';
  if (ending === EXIT.memory) return `bsdiff took more than ${maxMemoryMib} MiB`;
  if (ending === 'late') return `bsdiff took longer than ${timeoutMs} ms`;
  if (ending === EXIT.failed) return 'bsdiff-node gave up';
  return ending === null ? 'the process of bsdiff was killed' : `the process of bsdiff ended with code ${ending}`;
}
