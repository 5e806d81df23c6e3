// A page's script and the backend's worker -> a folder that a browser can open, bundled as docs/edge-runtime.md says for esbuild.
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

/** @param script a file of this folder */
export async function bundlePage(script: string, folder: string): Promise<void> {
  await build({
    entryPoints: { page: join(here, script), worker: '@kerf/edge-runtime/browser-worker' },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@kerf/source'],
    absWorkingDir: join(here, '../../..'),
    logLevel: 'error',
  });
  const html = '<!doctype html><title>kerf</title><script type="module" src="page.js"></script>';
  await writeFile(join(folder, 'index.html'), html);
}
