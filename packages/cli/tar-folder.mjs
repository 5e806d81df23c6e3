// A folder -> a .tar.gz that holds it under another name, of nobody's, by GNU tar.
import { spawnSync } from 'node:child_process';
import { basename, dirname } from 'node:path';

/** @throws {Error} when tar fails; its own words go to stderr. */
export function tarFolder({ folder, name, path }) {
  // Names only: the targets of links stay.
  const renamed = `--transform=flags=r;s,^${basename(folder).replaceAll(/[.,\\^$*[\]&]/g, String.raw`\$&`)},${name},`;
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  const args = ['-czf', path, ...owner, '--sort=name', renamed, '-C', dirname(folder), basename(folder)];
  const { status } = spawnSync('tar', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`tar ended with ${status}`);
}
