// Documentation that can be wrong is checked: TypeScript blocks compile, links lead somewhere, numbers of the pages hold.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
  'demo/README.md',
].filter((name) => name.endsWith('.md'));
const scratch = join(root, 'test/.documentation');

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test('TypeScript blocks compile against the packages', () => {
  const blocks = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match, index) => ({
      file: `${page.replaceAll(/\W/g, '_')}_${index}.ts`,
      code: match[1] as string,
    })),
  );
  expect(blocks.length).toBeGreaterThan(0);
  mkdirSync(scratch, { recursive: true });
  for (const { file, code } of blocks) writeFileSync(join(scratch, file), `${code}\nexport {};\n`);
  const config = { extends: '../../tsconfig.test.json', compilerOptions: { noUnusedLocals: false }, include: ['*.ts'] };
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', scratch], { encoding: 'utf8' });
  expect(stdout).toBe('');
});

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8');

  test('links to files that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => match[1] as string);
    expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([]);
  });

  test('names no path of a machine', () => {
    expect(text).not.toMatch(/(^|[\s'"(`])\/(root|home|work|tmp)\//m);
  });
});
