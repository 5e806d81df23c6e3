// What is packaged -> dist/package: `app` goes into the archive that Electron loads, `station` lies beside it as plain files, since
// worker threads, native libraries and models are opened by path. Run by `npm run package` before electron-builder.
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gatherPackages } from '../../packages/cli/gather-packages.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const built = join(here, 'dist');
const target = join(built, 'package');

/** Of packages that bring more than the station needs: what is kept, by path inside the package. */
const KEPT = new Map([
  [
    'onnxruntime-web',
    (path) =>
      /^(package\.json|LICENSE|dist\/ort\.node\.min\.m?js|dist\/ort-wasm-simd-threaded\.(mjs|wasm))$/.test(path),
  ],
]);
/** What the demo line is made of; the rest of this package is the app itself. */
const OF_WORKSPACE = new Map([['@kerf/inspector', ['package.json', 'dist/demo']]]);

const manifest = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
await rm(target, { recursive: true, force: true });

const app = join(target, 'app');
for (const path of ['desktop/main.cjs', 'desktop/preload.cjs', 'desktop/media-preload.cjs', 'renderer'])
  await cp(join(built, path), join(app, 'dist', path), { recursive: true });
const { version, license } = manifest;
await write(join(app, 'package.json'), {
  name: 'kerf-inspector',
  productName: 'kerf Inspector',
  // By which a desktop knows whose a window is: the name of the entry in its menu.
  desktopName: 'kerf-inspector.desktop',
  description: 'What an inspection station sees and decides',
  author: 'kerf',
  version,
  license,
  main: 'dist/desktop/main.cjs',
});

const station = join(target, 'station');
for (const name of ['host.cjs', 'station-host.mjs']) await cp(join(built, 'desktop', name), join(station, name));
await gatherPackages({
  from: here,
  target: station,
  kept: KEPT,
  published: OF_WORKSPACE,
});

async function write(path, value) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
