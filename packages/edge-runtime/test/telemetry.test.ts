// ONNX Runtime reports to its maker and leaves files unless it is told not to: a program that uses the library tells it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, expect, test } from 'vitest';

const scratch = mkdtempSync(join(tmpdir(), 'kerf-telemetry-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test.each([true, false])('a program with a backend leaves nothing behind (in its own thread: %s)', (inThisThread) => {
  const program = `
    import { nodeBackend } from '@kerf/edge-runtime/node';
    import { buildModel } from '@kerf/onnx';
    const value = (name) => ({ name, dtype: 'float32', shape: [1] });
    const node = { op: 'Relu', inputs: ['x'], outputs: ['y'] };
    const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: ${inThisThread} });
    await backend.load({ bytes: buildModel({ inputs: [value('x')], outputs: [value('y')], nodes: [node] }) });
    await backend.dispose();
    console.log('loaded');`;
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    env: { ...env, TMPDIR: scratch, HOME: scratch },
  });
  expect(child.stderr).toBe('');
  expect(child.stdout).toBe('loaded\n');
  expect(readdirSync(scratch)).toEqual([]);
});
