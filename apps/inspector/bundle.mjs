// The Inspector -> dist/renderer (what a browser loads from `kerf inspect`, and the desktop from its own scheme),
// dist/desktop (Electron's main process, preload script and the station's process) and dist/demo (the demo line).
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'src');
const target = join(here, 'dist');
const common = { bundle: true, absWorkingDir: here, logLevel: 'warning' };

for (const name of ['renderer', 'desktop', 'demo']) await rm(join(target, name), { recursive: true, force: true });

await build({
  ...common,
  entryPoints: {
    main: join(source, 'renderer/main.tsx'),
    lines: join(source, 'renderer/lines/main.tsx'),
    media: join(source, 'media/media-page.ts'),
    'station-worker': join(source, 'renderer/pictures/station-worker.ts'),
    'layout-worker': join(source, 'renderer/cut/graph/layout-worker.ts'),
    styles: join(source, 'renderer/main.css'),
  },
  outdir: join(target, 'renderer'),
  format: 'esm',
  platform: 'browser',
  target: 'chrome114',
  jsx: 'automatic',
  minify: true,
  conditions: ['@kerf/source'],
  define: { 'process.env.NODE_ENV': '"production"' },
});
await copyFile(join(source, 'media/media.html'), join(target, 'renderer/media.html'));
for (const name of ['index.html', 'icon.svg'])
  await copyFile(join(source, 'renderer', name), join(target, 'renderer', name));
const page = await readFile(join(source, 'renderer/index.html'), 'utf8');
await writeFile(join(target, 'renderer/lines.html'), page.replace('./main.js', './lines.js'));

// Main and preload are CommonJS, which every Electron takes; a sandboxed preload script can be nothing else.
await build({
  ...common,
  entryPoints: ['main', 'preload', 'media-preload', 'host'].map((name) => join(source, `desktop/${name}.ts`)),
  outdir: join(target, 'desktop'),
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  platform: 'node',
  target: 'node18',
  external: ['electron', './station-host.mjs'],
});
// The station itself stays a module among its packages: workers and native files are found beside them.
await build({
  ...common,
  entryPoints: [join(source, 'desktop/station-host.ts')],
  outdir: join(target, 'desktop'),
  outExtension: { '.js': '.mjs' },
  format: 'esm',
  platform: 'node',
  target: 'node18',
  packages: 'external',
});

await mkdir(join(target, 'demo'), { recursive: true });
await cp(join(here, 'demo/parts'), join(target, 'demo/parts'), { recursive: true });
await copyFile(join(here, '../../models/files/surface-v1.onnx'), join(target, 'demo/model.onnx'));
await copyFile(join(here, 'demo/surface-v1.profile.json'), join(target, 'demo/model.profile.json'));
