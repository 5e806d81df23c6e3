// The WebAssembly coder that is committed as text is what its source compiles to.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';

test('level-coder-bytes.ts is what wasm/level-coder.ts compiles to', () => {
  const script = join(import.meta.dirname, '../../packages/protocol/build-wasm.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
