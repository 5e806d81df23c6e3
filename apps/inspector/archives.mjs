// The unpacked app for Linux -> a .tar.gz to unpack anywhere and a Debian package, with what a Linux machine has: tar, dpkg-deb.
// Run as `npm run archives -w @kerf/inspector -- [UNPACKED [OUT]]` after `npm run package -- --dir`. Prints the files that it made.
import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { tarFolder } from '../../packages/cli/tar-folder.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const NAME = 'kerf-inspector';
/** Below it a Debian package may put what is no part of Debian. */
const PLACE = `opt/${NAME}`;
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64', arm: 'armhf' };
/** What Electron's binary is linked with or opens, by Debian's names; the second names are those of Debian 13. */
const NEEDED = [
  'libasound2 | libasound2t64',
  'libatspi2.0-0 | libatspi2.0-0t64',
  'libdrm2',
  'libgbm1',
  'libgtk-3-0 | libgtk-3-0t64',
  'libnotify4',
  'libnss3',
  'libsecret-1-0',
  'libxss1',
  'libxtst6',
  'xdg-utils',
];

const [unpacked = join(here, 'dist/release/linux-unpacked'), out = join(here, 'dist/release')] = process.argv
  .slice(2)
  .map((path) => resolve(path));
const { version } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
const made = [];
await mkdir(out, { recursive: true });
await make('tar', tarball);
await make('dpkg-deb', debian);
for (const path of made) process.stdout.write(`${path}\n`);
if (made.length === 0) process.exitCode = 1;

/** A machine without the tool goes without this archive, and is told so. */
async function make(tool, archive) {
  if (spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0) made.push(await archive());
  else process.stderr.write(`no ${tool} on this machine: its archive is left out\n`);
}

/** One folder, named with its version. */
function tarball() {
  const path = join(out, `${NAME}-${version}-linux-${process.arch}.tar.gz`);
  tarFolder({ folder: unpacked, name: `${NAME}-${version}`, path });
  return path;
}

async function debian() {
  const architecture = ARCHITECTURES[process.arch];
  const path = join(out, `${NAME}_${version}_${architecture}.deb`);
  const root = await mkdtemp(join(tmpdir(), `${NAME}-deb-`));
  try {
    await chmod(root, 0o755);
    await cp(unpacked, join(root, PLACE), { recursive: true, verbatimSymlinks: true });
    // Chromium's sandbox: without user namespaces it needs a helper of root's.
    await chmod(join(root, PLACE, 'chrome-sandbox'), 0o4755);
    await mkdir(join(root, 'usr/bin'), { recursive: true });
    await symlink(`/${PLACE}/${NAME}`, join(root, 'usr/bin', NAME));
    await write(join(root, `usr/share/applications/${NAME}.desktop`), desktopEntry());
    await write(
      join(root, `usr/share/icons/hicolor/512x512/apps/${NAME}.png`),
      await readFile(join(here, 'build/icon.png')),
    );
    await write(join(root, 'DEBIAN/control'), control(architecture, kibibytesOf(root)));
    // gzip: every dpkg reads it, and every dpkg-deb writes it.
    run('dpkg-deb', ['-Zgzip', '--root-owner-group', '--build', root, path]);
    return path;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function control(architecture, kibibytes) {
  return [
    `Package: ${NAME}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: kerf',
    `Installed-Size: ${kibibytes}`,
    `Depends: ${NEEDED.join(', ')}`,
    'Section: science',
    'Priority: optional',
    'Description: what an inspection station sees and decides',
    ' The Inspector of kerf: the live line, why a part failed, thresholds, updates and',
    ' health of inspection stations, on this machine and on others.',
    '',
  ].join('\n');
}

function desktopEntry() {
  return [
    '[Desktop Entry]',
    'Type=Application',
    'Name=kerf Inspector',
    'Comment=What an inspection station sees and decides',
    'Comment[zh_CN]=检测工位看到什么、如何判定',
    `Exec=/${PLACE}/${NAME} %U`,
    `Icon=${NAME}`,
    // The window's class: main.ts gives it on X11, desktopName in stage.mjs on Wayland.
    `StartupWMClass=${NAME}`,
    'Terminal=false',
    'Categories=Utility;',
    '',
  ].join('\n');
}

/** As dpkg counts it. */
function kibibytesOf(folder) {
  return Number(run('du', ['-sk', '--apparent-size', folder]).split('\t')[0]);
}

async function write(path, content) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** @returns what it printed. Its complaints go to ours. */
function run(program, args) {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return stdout;
}
