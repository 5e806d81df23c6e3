// What threads and processes start from: each file beside the code that names it, and in the list of the command's bundle.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startedFile } from '@kerf/protocol';
import { expect, test } from 'vitest';

const packages = fileURLToPath(new URL('../../packages', import.meta.url));

test('code names what it starts as it is bundled', () => {
  const bundle = readFileSync(join(packages, 'cli/bundle-command.mjs'), 'utf8');
  const listed = [...bundle.matchAll(/^ {2}'(.+)\.ts',$/gm)]
    .map(([, path]) => path)
    .filter((path) => path !== 'cli/src/main');
  const named = readdirSync(packages).flatMap((name) => {
    const folder = join(packages, name, 'src');
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const started = readFileSync(join(folder, file), 'utf8').matchAll(/startedFile\('([\w-]+)'/g);
        return [...started].map(([, target = '']) => relative(packages, join(folder, dirname(file), target)));
      });
  });
  expect(listed.length).toBeGreaterThan(5);
  expect(new Set(named)).toEqual(new Set(listed));
});

test('a file is the one beside the compiled code, also where sources run', () => {
  const url = (from: string): string => startedFile('a-thread', from).href;
  expect(url('file:///x/src/kerf/packages/p/src/q/b.ts')).toBe('file:///x/src/kerf/packages/p/dist/q/a-thread.js');
  expect(url('file:///x/src/kerf/dist/bin/chunk.js')).toBe('file:///x/src/kerf/dist/bin/a-thread.js');
});
