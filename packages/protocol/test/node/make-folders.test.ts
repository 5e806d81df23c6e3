// Folders on a real disk; the ones that cannot be made are an error, not a wait without end.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolders } from '../../src/node.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kerf-folders-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('makeFolders', () => {
  it('makes what is missing and says whether it made anything', async () => {
    const folder = join(root, 'a', 'ein Ordner', '件');
    expect(await makeFolders(folder, 0o700)).toBe(true);
    expect((await stat(join(root, 'a'))).mode & 0o777).toBe(0o700);
    expect(await makeFolders(`${folder}/`)).toBe(false);
    expect(await makeFolders('.')).toBe(false);
  });

  it('takes what many make at once', async () => {
    const folder = join(root, 'many', 'b', 'c');
    const made = await Promise.all(Array.from({ length: 20 }, () => makeFolders(folder)));
    expect(made.filter(Boolean)).toHaveLength(1);
  });

  it('follows a link to a folder, and refuses one to nowhere and a file', async () => {
    await makeFolders(join(root, 'real'));
    await symlink(join(root, 'real'), join(root, 'link'));
    expect(await makeFolders(join(root, 'link'))).toBe(false);
    expect(await makeFolders(join(root, 'link', 'below'))).toBe(true);
    await symlink(join(root, 'nowhere'), join(root, 'broken'));
    await expect(makeFolders(join(root, 'broken'))).rejects.toMatchObject({ code: 'EEXIST' });
    await writeFile(join(root, 'file'), '');
    await expect(makeFolders(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolders(join(root, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(makeFolders('')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.runIf(process.platform === 'linux')('ends where a folder takes nothing', async () => {
    await expect(makeFolders('/proc/kerf')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(makeFolders('/proc/kerf/below/it')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.runIf(process.platform === 'linux')('ends where the folder that it runs in is gone', () => {
    const script = `const { mkdtempSync, rmdirSync } = require('node:fs');
      const gone = mkdtempSync(${JSON.stringify(join(root, 'gone-'))});
      process.chdir(gone);
      rmdirSync(gone);
      import(${JSON.stringify(new URL('../../dist/node.js', import.meta.url).href)})
        .then(({ makeFolders }) => makeFolders('a/b'))
        .catch((error) => console.log(error.code));`;
    const { stdout } = spawnSync(process.execPath, ['-e', script], { timeout: 20_000, encoding: 'utf8' });
    expect(stdout.trim()).toBe('ENOENT');
  });
});
