// Folders that cannot be written -> what the desktop app says of them.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noPlace } from '../src/desktop/no-place.ts';

let folder = '';
let file = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-place-'));
  file = join(folder, 'file');
  writeFileSync(file, '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('nothing where both can be written; the app’s own folder is made', () => {
  const userData = join(folder, 'config/kerf');
  expect(noPlace({ userData, temp: folder }, 'en')).toBeNull();
  expect(existsSync(userData)).toBe(true);
});

test.each([
  ['en', 'Give this user the right to', 'TMPDIR name another one'],
  ['zh-CN', '请为当前用户开放写入权限', '让 TMPDIR 指向其他文件夹'],
])('%s: names the folder and what to do', (locale, ours, temporary) => {
  const userData = join(file, 'kerf');
  expect(noPlace({ userData, temp: folder }, locale)).toContain(ours);
  expect(noPlace({ userData, temp: folder }, locale)).toContain(userData);
  const temp = join(folder, 'nowhere');
  expect(noPlace({ userData: folder, temp }, locale)).toContain(temporary);
  expect(noPlace({ userData: folder, temp }, locale)).toContain(temp);
});
