// What a real Electron needs to be tested as an ordinary user: a display, a user that is not root, its sandbox helper.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';

const NOBODY = 65_534;
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
const isRoot = process.getuid?.() === 0;

/**
 * Chromium's sandbox refuses root, and an ordinary user needs a set-uid helper and must be able to read the app.
 * @param folder with the binary `electron`
 * @param readable a file of what is tested
 */
export function reasonNotToRun(folder: string, readable: string): string | null {
  if (process.platform !== 'linux') return 'written for Linux';
  if (spawnSync('which', ['Xvfb']).status !== 0) return 'no Xvfb on this machine';
  const missing = spawnSync('ldd', [join(folder, 'electron')], { encoding: 'utf8' }).stdout.match(/(\S+) => not found/);
  if (missing !== null) return `Electron needs ${missing[1]}, which this machine lacks`;
  if (!isRoot || spawnSync('setpriv', [...AS_NOBODY, 'test', '-r', readable]).status === 0) return null;
  return 'an ordinary user cannot read this folder, and the sandbox refuses root';
}

export interface Desktop {
  readonly environment: Record<string, string>;
  /** The binary itself, or a script that starts it as nobody. */
  executable(binary: string): Promise<string>;
  close(): void;
}

/** @param home an empty folder, which becomes the user's */
export async function openDesktop(home: string): Promise<Desktop> {
  const display: ChildProcess = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const [number] = (await once(display.stdio[3] as NodeJS.ReadableStream, 'data')) as [Buffer];
  return {
    environment: {
      ...(process.env as Record<string, string>),
      DISPLAY: `:${number.toString().trim()}`,
      HOME: home,
      XDG_CONFIG_HOME: join(home, 'config'),
      LANG: 'en_GB.UTF-8',
    },
    executable: (binary) => asNobody(binary, home),
    close: () => void display.kill('SIGKILL'),
  };
}

async function asNobody(binary: string, home: string): Promise<string> {
  if (!isRoot) return binary;
  const helper = join(binary, '../chrome-sandbox');
  if (existsSync(helper) && (statSync(helper).mode & 0o4000) === 0) {
    chownSync(helper, 0, 0);
    chmodSync(helper, 0o4755);
  }
  chownSync(home, NOBODY, NOBODY);
  const script = join(home, 'start.sh');
  await writeFile(script, `#!/bin/sh\nexec setpriv ${AS_NOBODY.join(' ')} '${binary}' "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}

/** Gives a folder and all in it to whoever runs the app. */
export function giveToUser(folder: string): void {
  if (isRoot) spawnSync('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
}
