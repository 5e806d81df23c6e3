// The Inspector's desktop app in a real Electron, as an ordinary user with the sandbox on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { listSessions, SessionFile } from '@kerf/edge-runtime/node';
import { unzipSync } from 'fflate';
import { type ElectronApplication, _electron as electron, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findElectron } from '../support/ensure-electron.mjs';
import { type Desktop, openDesktop, reasonNotToRun } from './support/desktop.ts';
import { drawn, soon } from './support/inspecting.ts';

const APP = fileURLToPath(new URL('../../apps/inspector', import.meta.url));
const runtime = findElectron();
const reason = runtime.reason ?? reasonNotToRun(runtime.folder, join(APP, 'dist/desktop/main.cjs'));

describe.skipIf(reason !== null)(`the desktop app${reason === null ? '' : ` (${reason})`}`, () => {
  const folder = runtime.folder as string;
  let home = '';
  let desktop: Desktop;
  let app: ElectronApplication;
  let page: Page;
  let dataFolder = '';
  const said: string[] = [];

  const executable = (): Promise<string> => desktop.executable(join(folder, 'electron'));

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'kerf-desktop-'));
    desktop = await openDesktop(home);
    const { environment: env } = desktop;
    app = await electron.launch({ executablePath: await executable(), args: [APP], env, timeout: 60_000 });
    page = await app.firstWindow();
    page.on('pageerror', (error) => said.push(error.message));
    dataFolder = await app.evaluate(({ app: main }) => main.getPath('userData'));
  });
  afterAll(async () => {
    await app?.close();
    desktop?.close();
    await rm(home, { recursive: true, force: true });
  });

  const verdict = () => page.locator('.tile').getAttribute('data-verdict');

  test('without any configuration a demo line runs, and parts get verdicts', async () => {
    await expect.poll(verdict, { timeout: 90_000 }).toMatch(/^(PASS|REVIEW|NG)$/);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('demo');
    expect(said).toEqual([]);
  });

  test('the Cut screen has its graph, which a worker lays out, and its line goes by keys', async () => {
    await page.getByRole('link', { name: 'Cut' }).click();
    await page.getByRole('heading', { name: 'Why this cut' }).waitFor();
    await page.locator('.graph-frame[aria-busy="false"] canvas').waitFor();
    const handle = page.getByRole('slider', { name: 'Cut line' });
    await handle.focus();
    await page.keyboard.press('Home');
    await soon(() => handle.getAttribute('aria-valuetext')).toContain('all in the cloud');
    expect(said).toEqual([]);
  });

  test('a session is recorded as MCAP by the station’s old Node, judged again bit for bit, and lies side by side', async () => {
    await page.getByRole('link', { name: 'Replay' }).click();
    await page.getByRole('button', { name: 'Start recording' }).click();
    await page.getByText(/Recording: ([2-9]|\d\d+) parts/).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Stop recording' }).click();
    await page.getByText('Nothing is being recorded').waitFor();
    await page.getByRole('button', { name: 'Judge the first again' }).click();
    await page.getByText(/Judged again: \d+ equal bit for bit, 0 not, 0 could not/).waitFor({ timeout: 60_000 });
    await soon(() => drawn(page, '.side-by-side canvas')).toBe(2);
    const [first] = (await listSessions(join(dataFolder, 'demo-line/sessions'))).filter(
      ({ name }) => !name.includes('.replay-'),
    );
    const session = await SessionFile.open(join(dataFolder, 'demo-line/sessions', first?.name ?? ''));
    expect(session.cut).toBeNull();
    expect(session.entries.length).toBeGreaterThan(1);
    await session.close();
  });

  test('samples are labelled and taken along as a file', async () => {
    await page.getByRole('link', { name: 'Samples' }).click();
    await page.locator('.sample-rows li').first().waitFor({ timeout: 60_000 });
    await page.keyboard.press('1');
    await page.getByText(/parts? kept, 1 with a label/).waitFor();
    const saved = join(home, 'samples.zip');
    await app.evaluate(({ session }, path) => {
      session.defaultSession.once('will-download', (_, item) => item.setSavePath(path));
    }, saved);
    await page.getByRole('button', { name: 'Export folders' }).click();
    await page.getByText(/^Saved as demo-/).waitFor();
    await soon(async () => {
      const files = unzipSync(await readFile(saved));
      return Object.keys(files).some((path) => path.endsWith('samples.jsonl'));
    }).toBe(true);
    await page.getByRole('link', { name: 'Line' }).click();
  });

  test('the station is a process of its own: it dies, the app says so, and it comes back', async () => {
    const station = (): Promise<number[]> =>
      app.evaluate(({ app: main }) =>
        main
          .getAppMetrics()
          .filter(
            ({ type, name, serviceName }) => type === 'Utility' && `${name}${serviceName}`.includes('kerf station'),
          )
          .map(({ pid }) => pid),
      );
    const [pid] = await station();
    expect(pid).toBeGreaterThan(0);
    process.kill(pid as number, 'SIGKILL');
    await page.getByText('The station cannot be reached').waitFor();
    await page.getByText('The station cannot be reached').waitFor({ state: 'hidden', timeout: 60_000 });
    await expect.poll(async () => (await station())[0], { timeout: 30_000 }).not.toBe(pid);
    await page.locator('.tile').waitFor();
    await expect.poll(verdict, { timeout: 90_000 }).toMatch(/^(PASS|REVIEW|NG)$/);
  });

  test('a second start ends at once and leaves the first its window', async () => {
    const second = spawn(await executable(), [APP], { env: desktop.environment, stdio: 'ignore' });
    const [code] = (await once(second, 'exit')) as [number];
    expect(code).toBe(0);
    expect(app.windows()).toHaveLength(1);
  });
});
