// The renderer -> dist/renderer: what a browser loads from `kerf inspect`, and the desktop app from its own protocol.
import { copyFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'src/renderer');
const target = join(here, 'dist/renderer');

await rm(target, { recursive: true, force: true });
await build({
  entryPoints: { main: join(source, 'main.tsx') },
  outdir: target,
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'chrome114',
  jsx: 'automatic',
  minify: true,
  conditions: ['@kerf/source'],
  define: { 'process.env.NODE_ENV': '"production"' },
  absWorkingDir: here,
  logLevel: 'warning',
});
for (const name of ['index.html', 'main.css', 'icon.svg']) await copyFile(join(source, name), join(target, name));
