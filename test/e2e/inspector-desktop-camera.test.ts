// Cameras of the desktop app where ffmpeg is not installed: a real Electron, its own camera and decoder, and a network camera.
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeVideo } from '@kerf/models';
import { type ElectronApplication, _electron as electron, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findElectron } from '../support/ensure-electron.mjs';
import { openCamera, picturesOf, type TestCamera } from '../support/rtsp-server.ts';
import { type Desktop, giveToUser, openDesktop, reasonNotToRun } from './support/desktop.ts';
import { drawn, soon } from './support/inspecting.ts';

const APP = fileURLToPath(new URL('../../apps/inspector', import.meta.url));
const runtime = findElectron();
const reason = runtime.reason ?? reasonNotToRun(runtime.folder, join(APP, 'dist/desktop/main.cjs'));
const LOGIN = { user: 'line-3', password: 'a word', scheme: 'MD5' } as const;

describe.skipIf(reason !== null)(`cameras in the desktop app${reason === null ? '' : ` (${reason})`}`, () => {
  let home = '';
  let work = '';
  let desktop: Desktop;
  let app: ElectronApplication | undefined;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'kerf-desktop-camera-'));
    await writeVideo(join(work, 'parts.y4m'), { station: 'conveyor', seconds: 2, framesPerSecond: 10, goodShare: 0.5 });
    await cp(join(APP, 'dist/demo/model.onnx'), join(work, 'model.onnx'));
    home = await mkdtemp(join(tmpdir(), 'kerf-desktop-'));
    desktop = await openDesktop(home);
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });
  afterAll(async () => {
    desktop?.close();
    for (const folder of [home, work]) await rm(folder, { recursive: true, force: true });
  });

  async function openLine(station: string, source: object, ...more: string[]): Promise<Page> {
    const file = {
      format: 'kerf-station/1',
      station,
      source: { ...source, ffmpeg: 'no-such-program', stall: '20 s' },
      model: { path: 'model.onnx' },
      task: { kind: 'anomaly' },
      sinks: [{ kind: 'json-lines', path: `${station}.jsonl` }],
    };
    const path = join(work, `${station}.json`);
    await writeFile(path, JSON.stringify(file));
    giveToUser(work);
    app = await electron.launch({
      executablePath: await desktop.executable(join(runtime.folder as string, 'electron')),
      args: [APP, ...more, path],
      env: { ...desktop.environment, KERF_CAMERA: LOGIN.password },
      timeout: 60_000,
    });
    return app.firstWindow();
  }

  const verdictOf = (page: Page): Promise<string | null> => page.locator('.tile').getAttribute('data-verdict');
  const judged = async (station: string): Promise<number> =>
    (await readFile(join(work, `${station}.jsonl`), 'utf8').catch(() => '')).split('\n').length - 1;

  test('a camera of the machine is opened by the app, and again when its page has died', async () => {
    const page = await openLine(
      'eye',
      { kind: 'camera' },
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${join(work, 'parts.y4m')}`,
    );
    await soon(() => verdictOf(page), { timeout: 60_000 }).toMatch(/^(PASS|REVIEW|NG)$/);
    await soon(() => drawn(page, '.line-picture canvas')).toBe(1);
    // Only the window for it may use a camera, and nothing else than one.
    const asked = await page.evaluate(() =>
      navigator.mediaDevices.getUserMedia({ video: true }).then(
        () => 'given',
        () => 'refused',
      ),
    );
    expect(asked).toBe('refused');
    const hidden = app?.windows().find((window) => window.url().endsWith('/media.html'));
    const heard = await hidden?.evaluate(() =>
      navigator.mediaDevices.getUserMedia({ audio: true }).then(
        () => 'given',
        () => 'refused',
      ),
    );
    expect(heard).toBe('refused');

    await app?.evaluate(({ BrowserWindow }) => {
      const window = BrowserWindow.getAllWindows().find((one) => one.webContents.getURL().endsWith('/media.html'));
      window?.webContents.forcefullyCrashRenderer();
    });
    const before = await judged('eye');
    await expect.poll(() => judged('eye'), { timeout: 60_000 }).toBeGreaterThan(before + 3);
  });

  test('a network camera is decoded by the app, behind a login, and again after it was away', async ({ skip }) => {
    const stream = join(work, 'parts.h264');
    const coding = ['-c:v', 'libx264', '-profile:v', 'main', '-g', '10', '-bf', '0', '-f', 'h264', stream];
    const made = spawnSync('ffmpeg', ['-v', 'error', '-i', join(work, 'parts.y4m'), ...coding], { encoding: 'utf8' });
    if (made.status !== 0) skip(`no H.264 to send: ${made.error?.message ?? made.stderr}`);
    const options = { pictures: picturesOf(await readFile(stream)), framesPerSecond: 10, login: LOGIN };
    const camera: TestCamera = await openCamera(options);
    try {
      const login = { user: LOGIN.user, passwordFrom: 'KERF_CAMERA' };
      const page = await openLine('net', { kind: 'rtsp', url: camera.url, ...login });
      await soon(() => verdictOf(page), { timeout: 60_000 }).toMatch(/^(PASS|REVIEW|NG)$/);
      await soon(() => drawn(page, '.line-picture canvas')).toBe(1);
      camera.drop();
      const before = await judged('net');
      await expect.poll(() => judged('net'), { timeout: 60_000 }).toBeGreaterThan(before + 3);
      expect(camera.asked.filter((method) => method === 'PLAY').length).toBeGreaterThan(1);
    } finally {
      await camera.close();
    }
  });

  test('a network camera of H.265 says what it needs', async () => {
    const camera = await openCamera({ pictures: [[Uint8Array.of(0x67)]], encoding: 'H265' });
    try {
      const page = await openLine('new', { kind: 'rtsp', url: camera.url });
      await page.getByText('It sends H265, which needs ffmpeg').waitFor({ timeout: 60_000 });
    } finally {
      await camera.close();
    }
  });
});
