// What other tools make of a pair of files: those of Debian's packages that are installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PeerSize {
  readonly name: string;
  readonly bytes: number;
}

export interface Peers {
  readonly sizes: readonly PeerSize[];
  /** Tools that are not there. */
  readonly missing: readonly string[];
}

/** @param kept folder of what was measured before: the same two files take the same; null for none */
export function peerSizes(old: string, fresh: string, folder: string, kept: string | null): Peers {
  if (kept === null) return measured(old, fresh, folder);
  const hash = createHash('sha256');
  for (const file of [old, fresh]) hash.update(createHash('sha256').update(readFileSync(file)).digest());
  const place = join(kept, `peers-${hash.digest('hex').slice(0, 16)}.json`);
  if (existsSync(place)) return JSON.parse(readFileSync(place, 'utf8')) as Peers;
  const peers = measured(old, fresh, folder);
  mkdirSync(kept, { recursive: true });
  if (peers.missing.length === 0) writeFileSync(place, JSON.stringify(peers));
  return peers;
}

function measured(old: string, fresh: string, folder: string): Peers {
  const out = join(folder, 'peer');
  const tools: readonly (readonly [string, readonly string[]])[] = [
    ['bsdiff', [old, fresh, out]],
    ['xdelta3', ['-9', '-S', 'lzma', '-f', '-e', '-s', old, fresh, out]],
    ['zstd', ['-q', '-f', '-19', '--long=27', '--single-thread', `--patch-from=${old}`, fresh, '-o', out]],
  ];
  const sizes: PeerSize[] = [];
  const missing: string[] = [];
  for (const [name, args] of tools) {
    if (spawnSync('which', [name]).status !== 0) {
      missing.push(name);
      continue;
    }
    // bsdiff takes no empty file.
    if (spawnSync(name, args, { stdio: 'ignore' }).status === 0) sizes.push({ name, bytes: statSync(out).size });
    rmSync(out, { force: true });
  }
  return { sizes, missing };
}
