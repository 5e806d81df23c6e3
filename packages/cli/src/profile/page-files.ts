// The bundled page, ONNX Runtime's files and a model -> routes by their path in the page's folder.
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WASM_FILES } from '@kerf/edge-runtime/browser';
import type { ModelFile } from '@kerf/onnx/node';
import { KerfError, type TensorMap } from '@kerf/protocol';
import type { Route } from '../page-server.ts';

/** Written by bundle-pages.mjs; beside the package's code, whether that is `src` or `dist`. */
const PAGE_FOLDER = fileURLToPath(new URL('../../dist/pages/profile/', import.meta.url));

/** @throws {KerfError} FILE_NOT_FOUND when the page was not built. */
export async function pageRoutes(): Promise<Map<string, Route>> {
  const names = await readdir(PAGE_FOLDER).catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', "the profiling page is not built: run 'npm run build'", { cause });
  });
  const routes = new Map<string, Route>(
    names.map((name) => [name, { kind: 'file', path: join(PAGE_FOLDER, name), cache: true }]),
  );
  routes.set('', { kind: 'file', path: join(PAGE_FOLDER, 'index.html'), cache: false });
  const runtime = runtimeFolder();
  for (const file of Object.values(WASM_FILES).flatMap((wasm) => [wasm, wasm.replace(/\.wasm$/, '.mjs')])) {
    routes.set(`ort/${file}`, { kind: 'file', path: join(runtime, file), cache: true });
  }
  return routes;
}

/** The onnxruntime-web that the edge runtime uses: the page was bundled with the same. */
function runtimeFolder(): string {
  const edge = createRequire(import.meta.url).resolve('@kerf/edge-runtime');
  return dirname(createRequire(edge).resolve('onnxruntime-web'));
}

/** `model`, `external/INDEX` for each data file in the order of `externalFiles`, `input/INDEX` in the order of `inputs`. */
export function modelRoutes({ path, externalFiles }: ModelFile, inputs: TensorMap): Map<string, Route> {
  const routes = new Map<string, Route>([['model', { kind: 'file', path, cache: false }]]);
  [...externalFiles.values()].forEach((file, index) => {
    routes.set(`external/${index}`, { kind: 'file', path: file.path, cache: false });
  });
  [...inputs.values()].forEach(({ data }, index) => {
    routes.set(`input/${index}`, { kind: 'bytes', bytes: data });
  });
  return routes;
}
