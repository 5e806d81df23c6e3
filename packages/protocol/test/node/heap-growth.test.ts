// In a process of its own: the flag is V8's and could go with a version of it.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { expect, it } from 'vitest';

it('growHeapFreely sets a flag that this Node knows', () => {
  const door = new URL('../../dist/node.js', import.meta.url).href;
  const program = `import { growHeapFreely } from ${JSON.stringify(door)}; growHeapFreely();`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
