// The `kerf` command with all that it needs -> dist/kerf-VERSION-PLATFORM.tar.gz, for devices and servers that have no npm, no
// compiler and no network. Run as `npm run archive [-- OUT] [--node FILE]`; FILE is a Node of the target's platform to take along.
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gatherPackages } from './gather-packages.mjs';
import { tarFolder } from './tar-folder.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');

/** Of the runtime for browsers: what Node runs, and what the page of `kerf profile --browser` asks for. */
const OF_WEB_RUNTIME =
  /^(package\.json|LICENSE|dist\/ort\.node\.min\.m?js|dist\/ort-wasm-simd-threaded(\.asyncify)?\.(mjs|wasm))$/;
/** The page of `kerf inspect`, with its demo line. */
const OF_INSPECTOR = ['package.json', 'dist/renderer', 'dist/demo'];

const LAUNCHER = `#!/bin/sh
# kerf, from the folder that this file lies in; by the Node beside it, if there is one.
here=$(dirname "$(readlink -f "$0")")
node=$here/node
if [ ! -x "$node" ]; then
  node=$(command -v node) || { echo "kerf: no Node on this machine: install Node 20.19 or later" >&2; exit 1; }
fi
exec "$node" "$here/node_modules/@kerf/cli/bin/kerf.js" "$@"
`;

const { values, positionals } = parseArgs({ options: { node: { type: 'string' } }, allowPositionals: true });
const [out = join(root, 'dist')] = positionals.map((path) => resolve(path));
const { version } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
const name = `kerf-${version}`;
const path = join(out, `${name}-${process.platform}-${process.arch}.tar.gz`);

const work = await mkdtemp(join(tmpdir(), 'kerf-archive-'));
try {
  const folder = join(work, name);
  await mkdir(folder);
  await gatherPackages({
    from: here,
    target: folder,
    kept: new Map([['onnxruntime-web', (file) => OF_WEB_RUNTIME.test(file)]]),
    published: new Map([['@kerf/inspector', OF_INSPECTOR]]),
  });
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  await writeFile(join(folder, 'kerf'), LAUNCHER);
  await chmod(join(folder, 'kerf'), 0o755);
  if (values.node !== undefined) {
    await copyFile(resolve(values.node), join(folder, 'node'));
    await chmod(join(folder, 'node'), 0o755);
  }
  await mkdir(out, { recursive: true });
  tarFolder({ folder, name, path });
} finally {
  await rm(work, { recursive: true, force: true });
}
process.stdout.write(`${path}\n`);
