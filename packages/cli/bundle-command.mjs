// The `kerf` command with the workspace's packages -> dist/bin: some ten files to load instead of hundreds, which is
// most of what a short command takes. Code of others stays a dependency, found as ever.

import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, 'dist/bin');

/** What threads and processes start from, each found beside the code that starts it: the names are unique. */
const STARTED = [
  'cli/src/main.ts',
  'cli/src/inspect/cut/cut-planner-thread.ts',
  'cli/src/inspect/cut/measure-thread.ts',
  'cli/src/measure/edge-process.ts',
  'cli/src/measure/link-process.ts',
  'cli/src/update/stage-worker.ts',
  'cli/src/update/trial/trial-main.ts',
  'cloud-runtime/src/worker/runtime-thread.ts',
  'cloud-runtime/src/worker/worker-main.ts',
  'delta-sync/src/node/bsdiff/bsdiff-main.ts',
  'edge-runtime/src/node/backend-worker.ts',
  'edge-runtime/src/node/picture/picture-thread.ts',
  'registry/src/deltas/delta-main.ts',
];

const { metafile } = await build({
  entryPoints: STARTED.map((path) => join(here, '..', path)),
  outdir: target,
  entryNames: '[name]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  conditions: ['@kerf/source'],
  plugins: [
    {
      name: 'own-packages',
      setup(bundle) {
        bundle.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
          path.startsWith('@kerf/') || kind === 'entry-point'
            ? undefined
            : { path, external: true, sideEffects: false },
        );
      },
    },
  ],
  absWorkingDir: here,
  logLevel: 'warning',
  metafile: true,
});

// Chunks of earlier builds go last: a command that runs meanwhile keeps finding its own.
const made = new Set(Object.keys(metafile.outputs).map((name) => basename(name)));
for (const name of await readdir(target)) if (!made.has(name)) await rm(join(target, name));
