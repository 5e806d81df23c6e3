// What the desktop app says where it cannot start: no place for its files, or a station file that is wrong.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelFile } from '@kerf/models';
import { _electron as electron } from 'playwright';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findElectron } from '../support/ensure-electron.mjs';
import { type Desktop, giveToUser, openDesktop, reasonNotToRun } from './support/desktop.ts';

const APP = fileURLToPath(new URL('../../apps/inspector', import.meta.url));
const runtime = findElectron();
const reason = runtime.reason ?? reasonNotToRun(runtime.folder, join(APP, 'dist/desktop/main.cjs'));

describe.skipIf(reason !== null)(`a desktop app that cannot start${reason === null ? '' : ` (${reason})`}`, () => {
  let home = '';
  let desktop: Desktop;
  let binary = '';

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'kerf-desktop-'));
    desktop = await openDesktop(home);
    binary = await desktop.executable(join(runtime.folder as string, 'electron'));
  });
  afterEach(async () => {
    desktop?.close();
    await rm(home, { recursive: true, force: true });
  });

  test.each([
    ['TMPDIR', 'TMPDIR name another one'],
    ['XDG_CONFIG_HOME', 'Give this user the right to'],
  ])('where %s cannot be written it names the folder, and what to do', async (name, words) => {
    const path = join(home, 'occupied');
    await writeFile(path, 'no folder');
    const app = spawn(binary, [APP], {
      env: { ...desktop.environment, [name]: path },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    app.stderr.on('data', (data: Buffer) => {
      said += data.toString('utf8');
    });
    try {
      await expect.poll(() => said, { timeout: 60_000 }).toContain(words);
      expect(said).toContain(path);
    } finally {
      app.kill('SIGKILL');
    }
  });

  test('a station file that is wrong: the page says so, and shows the line when it is mended', async () => {
    const path = join(home, 'line.yaml');
    const station = [
      'format: kerf-station/1',
      'station: press-2',
      'source: { kind: folder, path: in }',
      `model: { path: ${JSON.stringify(modelFile('surface-lite'))} }`,
      'task: { kind: anomaly }',
      'sinks: [{ kind: json-lines, path: results.jsonl }]',
      '',
    ];
    await writeFile(path, station.join('\n').replace('kind: folder', 'kind: fodler'));
    await mkdir(join(home, 'in'));
    giveToUser(home);
    const { environment: env } = desktop;
    const app = await electron.launch({ executablePath: binary, args: [APP, path], env, timeout: 60_000 });
    try {
      const page = await app.firstWindow();
      await page.getByText('The station file has to be changed first.').waitFor({ timeout: 60_000 });
      await page.getByText('fodler').waitFor({ timeout: 60_000 });
      await writeFile(path, (await readFile(path, 'utf8')).replace('fodler', 'folder'));
      await page.getByRole('heading', { name: 'press-2' }).waitFor({ timeout: 90_000 });
      await page.locator('.banner[data-kind="alarm"]').waitFor({ state: 'detached' });
    } finally {
      await app.close();
    }
  });
});
