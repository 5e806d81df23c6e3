// What is packaged -> dist/package: `app` goes into the archive that Electron loads, `station` lies beside it as plain files, since
// worker threads, native libraries and models are opened by path. Run by `npm run package` before electron-builder.
import { cp, mkdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const built = join(here, 'dist');
const target = join(built, 'package');

/** Bundled into the renderer: the station has no use for them. */
const BUNDLED = /^(react|react-dom|@lingui\/|@tanstack\/|fflate$)/;
/** Of packages that bring more than Node on this platform needs: what is kept, by path inside the package. */
const KEPT = new Map([
  ['onnxruntime-node', (path) => !path.startsWith('bin/') || path.includes(`/${process.platform}/${process.arch}/`)],
  [
    'onnxruntime-web',
    (path) =>
      /^(package\.json|LICENSE|dist\/ort\.node\.min\.m?js|dist\/ort-wasm-simd-threaded\.(mjs|wasm))$/.test(path),
  ],
]);
/** What the demo line is made of; the rest of this package is the app itself. */
const OF_WORKSPACE = new Map([['@kerf/inspector', ['package.json', 'dist/demo']]]);
const NEVER = /\.(map|d\.ts|d\.mts|d\.cts|tsbuildinfo)$|^(test|tests|docs|example|examples)(\/|$)/;

const manifest = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
await rm(target, { recursive: true, force: true });

const app = join(target, 'app');
for (const path of ['desktop/main.cjs', 'desktop/preload.cjs', 'renderer'])
  await cp(join(built, path), join(app, 'dist', path), { recursive: true });
const { version, license } = manifest;
await write(join(app, 'package.json'), {
  name: 'kerf-inspector',
  productName: 'kerf Inspector',
  description: 'What an inspection station sees and decides',
  author: 'kerf',
  version,
  license,
  main: 'dist/desktop/main.cjs',
});

const station = join(target, 'station');
for (const name of ['host.cjs', 'station-host.mjs']) await cp(join(built, 'desktop', name), join(station, name));
const copied = new Set();
await copyPackage(here);

/** The package in `folder` and all that it needs, each to the place that it has below the repository's root. */
async function copyPackage(folder) {
  if (copied.has(folder)) return;
  copied.add(folder);
  const {
    name,
    files,
    dependencies = {},
    optionalDependencies = {},
  } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const path = relative(root, folder).split(sep).join('/');
  const inside = path.includes('node_modules/');
  const place = join(station, inside ? await placeOf(path) : join('node_modules', name));
  const kept = KEPT.get(name) ?? (() => true);
  // A workspace is more than what it publishes.
  for (const entry of inside ? ['.'] : (OF_WORKSPACE.get(name) ?? ['package.json', ...files])) {
    await cp(join(folder, entry), join(place, entry), {
      recursive: true,
      filter: async (source) => {
        const part = relative(folder, source).split(sep).join('/');
        if (part.startsWith('node_modules') || NEVER.test(part)) return false;
        return (await stat(source)).isDirectory() || kept(part);
      },
    });
  }
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (BUNDLED.test(dependency)) continue;
    const found = await folderOf(dependency, folder);
    if (found !== null) await copyPackage(found);
    else if (!(dependency in optionalDependencies))
      throw new Error(`${name} needs ${dependency}, which is not installed`);
  }
}

/** What lies in a workspace's own node_modules lies in that of its copy. */
async function placeOf(path) {
  const [, workspace, rest] = /^((?:packages|apps)\/[^/]+)\/(.*)$/.exec(path) ?? [];
  if (workspace === undefined) return path;
  const { name } = JSON.parse(await readFile(join(root, workspace, 'package.json'), 'utf8'));
  return join('node_modules', name, rest);
}

/** As Node looks for it: in node_modules of this folder and of every one above it; a workspace's link leads to the workspace. */
async function folderOf(dependency, from) {
  for (const path of createRequire(join(from, 'package.json')).resolve.paths(dependency) ?? []) {
    const folder = join(path, dependency);
    const found = await readFile(join(folder, 'package.json')).then(
      () => true,
      () => false,
    );
    if (found) return realpath(folder);
  }
  return null;
}

async function write(path, value) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
