// Another machine's line in the desktop app: a real Electron, a certificate of that machine's own, and one that is not its.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { developmentCertificate } from '@kerf/access';
import { KERF_BIN } from '@kerf/cli';
import { type ElectronApplication, _electron as electron, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findElectron } from '../support/ensure-electron.mjs';
import { type Desktop, giveToUser, openDesktop, reasonNotToRun } from './support/desktop.ts';
import { drawn, soon } from './support/inspecting.ts';

const APP = fileURLToPath(new URL('../../apps/inspector', import.meta.url));
const runtime = findElectron();
const reason = runtime.reason ?? reasonNotToRun(runtime.folder, join(APP, 'dist/desktop/main.cjs'));

/** The demo line of another machine, over TLS. */
async function startFar(state: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const args = ['inspect', '--json', '--host', '0.0.0.0', '--port', '0', '--state', state, '--role', 'operator'];
  const child = spawn(process.execPath, [KERF_BIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const event = JSON.parse(line) as { readonly event: string; readonly url: string };
    if (event.event === 'listening') return { child, url: event.url };
  }
  throw new Error('kerf inspect ended before it listened');
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

describe.skipIf(reason !== null)(`a far line in the desktop app${reason === null ? '' : ` (${reason})`}`, () => {
  let home = '';
  let keys = '';
  let desktop: Desktop;
  let far: Awaited<ReturnType<typeof startFar>>;
  let app: ElectronApplication | undefined;

  beforeAll(async () => {
    keys = await mkdtemp(join(tmpdir(), 'kerf-far-'));
    far = await startFar(join(keys, 'state'));
    await developmentCertificate(join(keys, 'other'), []);
    giveToUser(keys);
    home = await mkdtemp(join(tmpdir(), 'kerf-desktop-'));
    desktop = await openDesktop(home);
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });
  afterAll(async () => {
    desktop?.close();
    await end(far?.child);
    await rm(home, { recursive: true, force: true });
    await rm(keys, { recursive: true, force: true });
  });

  async function openApp(...more: string[]): Promise<Page> {
    app = await electron.launch({
      executablePath: await desktop.executable(join(runtime.folder as string, 'electron')),
      args: [APP, ...more, far.url],
      env: desktop.environment,
      timeout: 60_000,
    });
    return app.firstWindow();
  }

  test('is shown live by the certificate that --ca names, with the role of its address', async () => {
    const page = await openApp(`--ca=${join(keys, 'state/dev-cert.pem')}`);
    await soon(() => page.locator('.tile').getAttribute('data-verdict'), { timeout: 60_000 }).toMatch(
      /^(PASS|REVIEW|NG)$/,
    );
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('demo');
    await soon(() => drawn(page, '.line-picture canvas')).toBe(1);
    // An operator pauses the line, and changes no thresholds.
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('The line is paused').waitFor();
    await page.keyboard.press('3');
    await page.getByRole('slider', { name: 'PASS below' }).waitFor();
    expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0);
  });

  test('without its certificate, or with another one, the app says what to do', async () => {
    for (const given of [[], [`--ca=${join(keys, 'other/dev-cert.pem')}`]]) {
      const page = await openApp(...given);
      await page.getByText('Nobody here knows who signed the certificate of').waitFor({ timeout: 60_000 });
      expect(await page.locator('.tile').getAttribute('data-verdict')).toBe('none');
      await app?.close();
    }
    app = undefined;
  });
});
