// The page of `kerf profile --browser` with its workers -> dist/pages/profile, which a browser loads as it is.
import { copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'src/profile-page');
const target = join(here, 'dist/pages/profile');
const STATIC = ['index.html', 'style.css', 'icon.svg'];

const readManifest = async (path) => JSON.parse(await readFile(join(here, path), 'utf8'));

/** Exact: a range would not say what is bundled. */
async function versions() {
  const { dependencies } = await readManifest('../edge-runtime/package.json');
  return { kerf: (await readManifest('package.json')).version, 'onnxruntime-web': dependencies['onnxruntime-web'] };
}

const { metafile } = await build({
  entryPoints: {
    page: join(source, 'page.ts'),
    'profile-worker': join(source, 'profile-worker.ts'),
    'backend-worker': '@kerf/edge-runtime/browser-worker',
  },
  outdir: target,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  conditions: ['@kerf/source'],
  define: { KERF_VERSIONS: JSON.stringify(await versions()) },
  absWorkingDir: here,
  logLevel: 'warning',
  metafile: true,
});
for (const name of STATIC) await copyFile(join(source, name), join(target, name));

// Chunks of earlier builds go last: a page that is open while this runs keeps finding its own.
const made = new Set([...Object.keys(metafile.outputs).map((name) => basename(name)), ...STATIC]);
for (const name of await readdir(target)) if (!made.has(name)) await rm(join(target, name));
