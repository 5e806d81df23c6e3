// Where WebAssembly cannot be had, payloads are the same bytes: under `node --jitless`, and in a page that may not compile.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { serveFolder } from '../support/serve-folder.ts';

const SCRIPT = `
import { encodeActivation, decodeActivation, float32Tensor, warmUpLevels } from '@kerf/protocol';
const channels = Array.from({ length: 6 }, (_, at) => ({
  thresholds: Float32Array.from({ length: at + 1 }, (_, edge) => edge + 0.5),
  values: Float32Array.from({ length: at + 2 }, (_, level) => level),
}));
const table = { id: 'ab'.repeat(32), channelAxis: 1, rank: 4, channels, order: [0, 1, 2, 3, 4, 5], groups: [6], priors: null, restoration: null, golden: null };
const shape = [1, 6, 20, 70];
const tensor = float32Tensor(shape, Float32Array.from({ length: 8400 }, (_, at) => Math.sin(at / 9) * (at % 7)));
const { coder } = await warmUpLevels([table]);
const coded = encodeActivation(tensor, { kind: 'levels', table });
const back = decodeActivation({ ...coded, dtype: 'float32', shape }, new Map([[table.id, table]]), 1 << 20);
let sum = 0;
for (const byte of coded.bytes) sum = (Math.imul(sum, 31) + byte) | 0;
for (const byte of back.data) sum = (Math.imul(sum, 31) + byte) | 0;
globalThis.kerfAnswer = { coder, sum, bytes: coded.bytes.byteLength };
`;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-test-'));
  await build({
    stdin: { contents: SCRIPT, resolveDir: import.meta.dirname },
    outfile: join(folder, 'answer.mjs'),
    bundle: true,
    format: 'esm',
    logLevel: 'warning',
  });
  await writeFile(
    join(folder, 'print.mjs'),
    "await import('./answer.mjs');\nconsole.log(JSON.stringify(globalThis.kerfAnswer));\n",
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function inNode(...options: string[]): unknown {
  const { stdout, status } = spawnSync(process.execPath, [...options, join(folder, 'print.mjs')], { encoding: 'utf8' });
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

describe('without WebAssembly', () => {
  it('Node codes to the same bytes', () => {
    const usual = inNode();
    expect(usual).toMatchObject({ coder: 'webassembly' });
    expect(inNode('--jitless')).toEqual({ ...(usual as object), coder: 'typescript' });
  });

  it('a page whose policy forbids it codes to the same bytes', async ({ skip }) => {
    const { browser, reason } = await startChromium();
    if (browser === null) return skip(reason);
    const policies = { open: "'self' 'wasm-unsafe-eval'", strict: "'self'" };
    for (const [name, policy] of Object.entries(policies)) {
      await writeFile(
        join(folder, `${name}.html`),
        `<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ${policy}">` +
          '<script type="module" src="answer.mjs"></script>',
      );
    }
    const site = await serveFolder(folder);
    try {
      const answers: unknown[] = [];
      for (const name of Object.keys(policies)) {
        const page = await browser.newPage();
        await page.goto(`${site.url}${name}.html`);
        answers.push(
          await page.waitForFunction(() => Reflect.get(globalThis, 'kerfAnswer')).then((found) => found.jsonValue()),
        );
      }
      expect(answers[0]).toEqual(inNode());
      expect(answers[1]).toEqual({ ...(answers[0] as object), coder: 'typescript' });
    } finally {
      await browser.close();
      await site.close();
    }
  });
});
