// Two lines in the desktop app: a real Electron, its stations' process, a release fetched and switched to on one of them.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelFile } from '@kerf/models';
import { type ElectronApplication, _electron as electron } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findElectron } from '../support/ensure-electron.mjs';
import { type Desktop, giveToUser, openDesktop, reasonNotToRun } from './support/desktop.ts';
import { jsonOf } from './support/run-kerf.ts';
import { openUpdateWorld, type UpdateWorld } from './support/update-world.ts';

const APP = fileURLToPath(new URL('../../apps/inspector', import.meta.url));
const runtime = findElectron();
const reason = runtime.reason ?? reasonNotToRun(runtime.folder, join(APP, 'dist/desktop/main.cjs'));

function lineEight(): string {
  return [
    'format: kerf-station/1',
    'station: line-8',
    'source: { kind: folder, path: in-8 }',
    `model: { path: ${JSON.stringify(modelFile('surface-v1'))} }`,
    'task: { kind: anomaly }',
    'sinks: [{ kind: json-lines, path: line-8-results.jsonl }]',
  ].join('\n');
}

describe.skipIf(reason !== null)(`an update in the desktop app${reason === null ? '' : ` (${reason})`}`, () => {
  let home = '';
  let world: UpdateWorld;
  let desktop: Desktop;
  let app: ElectronApplication;

  beforeAll(async () => {
    world = await openUpdateWorld({ updates: { knownParts: 'known' } });
    await world.publish('1.1', 'surface-v2', '--notes', 'Fewer false alarms');
    const second = join(world.folder, 'line-8.yaml');
    await mkdir(join(world.folder, 'in-8'));
    await writeFile(second, lineEight());
    giveToUser(world.folder);
    home = await mkdtemp(join(tmpdir(), 'kerf-desktop-'));
    desktop = await openDesktop(home);
    const executablePath = await desktop.executable(join(runtime.folder as string, 'electron'));
    app = await electron.launch({
      executablePath,
      args: [APP, world.station, second],
      env: desktop.environment,
      timeout: 60_000,
    });
  });
  afterAll(async () => {
    await app?.close();
    desktop?.close();
    await rm(home, { recursive: true, force: true });
    await world?.remove();
  });

  test('is looked for, fetched, tried on known parts and applied while the line runs', async () => {
    const page = await app.firstWindow();
    const tiles = page.locator('.line-tile');
    await tiles.filter({ hasText: 'line-8' }).waitFor({ timeout: 60_000 });
    expect(page.url()).toBe('kerf-inspector://app/');
    await page.keyboard.press('1');
    await page.getByRole('heading', { name: 'line-7' }).waitFor({ timeout: 60_000 });
    await world.feed(2);
    await page.locator('.tile[data-verdict="PASS"], .tile[data-verdict="REVIEW"], .tile[data-verdict="NG"]').waitFor({
      timeout: 60_000,
    });
    await page.getByRole('link', { name: 'Updates' }).click();
    await page.getByRole('button', { name: 'Look for releases' }).click();
    await page.getByText('Fewer false alarms').waitFor();
    await page.getByRole('button', { name: 'Fetch 1.1' }).click();
    await page.getByRole('heading', { name: 'Ready to run: version 1.1' }).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Try on known parts' }).click();
    await page.getByText(/known parts (get the verdict|would get another verdict)/).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Run 1.1', exact: true }).click();
    await page.getByRole('button', { name: 'Run 1.1 – Yes, do it' }).click();
    await page.getByText('Version 1.1 runs.').waitFor({ timeout: 60_000 });
    const status = await world.kerf('update', 'status', '--device', 'device', '--json');
    expect(jsonOf(status)).toMatchObject({
      active: { version: '1.1' },
      previous: { version: '1.0' },
      trialStarts: 0,
    });
    const records = async (): Promise<{ release: string }[]> =>
      (await readFile(join(world.folder, 'results.jsonl'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { release: string });
    const before = (await records()).map(({ release }) => release);
    await world.feed(2);
    await expect.poll(async () => (await records()).length, { timeout: 60_000 }).toBe(before.length + 2);
    expect((await records()).at(-1)?.release).not.toBe(before[0]);

    await page.keyboard.press('l');
    await tiles.filter({ hasText: 'line-7' }).and(page.locator(':not([data-verdict="none"])')).waitFor();
    expect(await tiles.filter({ hasText: 'line-8' }).getAttribute('data-verdict')).toBe('none');
  });
});
