// What other tools make of a pair of files: those of Debian's packages that are installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
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

export function peerSizes(old: string, fresh: string, folder: string): Peers {
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
    execFileSync(name, args, { stdio: 'ignore' });
    sizes.push({ name, bytes: statSync(out).size });
    rmSync(out);
  }
  return { sizes, missing };
}
