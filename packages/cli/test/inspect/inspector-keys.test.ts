// The Inspector's secrets in a state folder: kept, made anew when asked, refused when they are not ours.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectorKeys, KEYS_FILE } from '../../src/inspect/inspector-keys.ts';

const root = mkdtempSync(join(tmpdir(), 'kerf-keys-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('keys of the Inspector', () => {
  it('are made once, readable by their owner only, and kept', async () => {
    const state = join(root, 'a');
    const made = await inspectorKeys(state, false);
    expect([...made.keys()]).toEqual(['viewer', 'operator', 'engineer']);
    expect(new Set(made.values()).size).toBe(3);
    for (const secret of made.values()) expect(secret).toMatch(/^([a-z0-9]{4}-){4}[a-z0-9]{4}$/);
    expect(statSync(join(state, KEYS_FILE)).mode & 0o777).toBe(0o600);
    expect(await inspectorKeys(state, false)).toEqual(made);
    const renewed = await inspectorKeys(state, true);
    expect([...renewed.values()].filter((secret) => [...made.values()].includes(secret))).toEqual([]);
    expect(await inspectorKeys(state, false)).toEqual(renewed);
  });

  it.each([
    ['no JSON', '{'],
    ['nothing', 'null'],
    ['a role that is missing', '{"viewer":"abcd-efgh-jkmn-pqrs-tuvw"}'],
    ['a secret that can be guessed', '{"viewer":"a","operator":"b","engineer":"c"}'],
    [
      'one secret for two roles',
      JSON.stringify(
        Object.fromEntries(['viewer', 'operator', 'engineer'].map((role) => [role, 'abcd-efgh-jkmn-pqrs-tuvw'])),
      ),
    ],
  ])('that hold %s are refused and left as they are', async (_, text) => {
    const path = join(root, KEYS_FILE);
    writeFileSync(path, text);
    await expect(inspectorKeys(root, false)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('need a folder that can be written', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(inspectorKeys(join(root, 'file/below'), false)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });
});
