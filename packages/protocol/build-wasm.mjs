// wasm/level-coder.ts (AssemblyScript) -> src/codec/level-coder-bytes.ts, which holds the compiled module as text.
//
// Embedded, so that it loads without a request, in browsers, Node and bundles alike. The text is committed; nothing is
// compiled while the hash in it is that of the sources. `--check` compiles, writes nothing, and exits with 1 when the
// committed text is another.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const SOURCES = ['wasm/level-coder.ts', 'src/codec/level-numbers.ts'];
const TARGET = join(here, 'src/codec/level-coder-bytes.ts');
const OPTIONS = ['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd'];

async function hashOfSources() {
  const { version } = createRequire(import.meta.url)('assemblyscript/package.json');
  const hash = createHash('sha256').update(`${version} ${OPTIONS.join(' ')}`);
  for (const file of SOURCES) hash.update(await readFile(join(here, file)));
  return hash.digest('hex');
}

async function compiled() {
  const { default: compiler } = await import('assemblyscript/asc');
  let binary = null;
  const stderr = compiler.createMemoryStream();
  const { error } = await compiler.main([SOURCES[0], '--outFile', 'level-coder.wasm', ...OPTIONS], {
    readFile: (name) => readFile(join(here, name), 'utf8').catch(() => null),
    writeFile: (_name, data) => {
      binary = data;
    },
    listFiles: () => [],
    stderr,
  });
  if (error !== null || binary === null)
    throw new Error(`the WebAssembly coder does not compile\n${stderr.toString()}`);
  return Buffer.from(binary).toString('base64');
}

const textOf = (base64, hash) => `// Made from wasm/level-coder.ts by build-wasm.mjs, not by hand.
// Sources: ${hash}

const BASE64 =
  '${base64}';

/** The compiled module. */
export function levelCoderBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(BASE64), (character) => character.charCodeAt(0));
}
`;

const known = await readFile(TARGET, 'utf8').catch(() => '');
const isCheck = process.argv.includes('--check');
const hash = await hashOfSources();
if (isCheck || !known.includes(hash)) {
  const text = textOf(await compiled(), hash);
  if (!isCheck) {
    await writeFile(TARGET, text);
  } else if (text !== known) {
    process.stderr.write(`${TARGET} is not what its sources compile to: run npm run build and commit it\n`);
    process.exitCode = 1;
  }
}
