// Electron's own security checklist (electronjs.org/docs/latest/tutorial/security), a test for each of its points, in a real
// Electron as an ordinary user with the sandbox on. Point 19, the fuses, is read back from the package in
// inspector-package.test.ts.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ElectronApplication, _electron as electron, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findElectron } from '../support/ensure-electron.mjs';
import { type Desktop, giveToUser, openDesktop, reasonNotToRun } from './support/desktop.ts';
import { soon } from './support/inspecting.ts';

const APP = fileURLToPath(new URL('../../apps/inspector', import.meta.url));
const runtime = findElectron();
const reason = runtime.reason ?? reasonNotToRun(runtime.folder, join(APP, 'dist/desktop/main.cjs'));

describe.skipIf(reason !== null)(`Electron's security checklist${reason === null ? '' : ` (${reason})`}`, () => {
  let home = '';
  let desktop: Desktop;
  let app: ElectronApplication;
  let page: Page;
  const asked: string[] = [];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'kerf-desktop-'));
    desktop = await openDesktop(home);
    app = await electron.launch({
      executablePath: await desktop.executable(join(runtime.folder as string, 'electron')),
      args: [APP],
      env: desktop.environment,
      timeout: 60_000,
    });
    page = await app.firstWindow();
    page.on('request', (request) => asked.push(request.url()));
    await page.locator('.tile').waitFor({ timeout: 60_000 });
  });
  afterAll(async () => {
    await app?.close();
    desktop?.close();
    await rm(home, { recursive: true, force: true });
  });

  /** As Electron holds it for the window. */
  const preference = (name: string): Promise<unknown> =>
    app.evaluate(({ BrowserWindow }, key) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
        getLastWebPreferences(): Record<string, unknown>;
      };
      return contents.getLastWebPreferences()[key] ?? null;
    }, name);

  /** Later, since what a test evaluates may do what the page may not. */
  const inPage = (code: string): Promise<unknown> =>
    page.evaluate(
      (text) =>
        new Promise((resolve) => {
          setTimeout(() => {
            try {
              // oxlint-disable-next-line no-implied-eval -- it must not work
              resolve(new Function(text)());
            } catch {
              resolve('refused');
            }
          }, 0);
        }),
      code,
    );

  test('1, only its own content is loaded, and nothing of elsewhere can be', async () => {
    expect(page.url()).toMatch(/^kerf-inspector:\/\/app\//);
    await page.reload();
    await page.locator('.tile').waitFor();
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.filter((url) => !/^(kerf-inspector:\/\/app\/|blob:kerf-inspector:)/.test(url))).toEqual([]);
    const fetched = await page.evaluate(() =>
      fetch('https://127.0.0.1:9/').then(
        () => 'fetched',
        () => 'refused',
      ),
    );
    expect(fetched).toBe('refused');
  });

  test('2, the page has no Node', async () => {
    expect(await preference('nodeIntegration')).toBe(false);
    const kinds = await page.evaluate(() =>
      ['require', 'process', 'module', 'Buffer'].map((name) => typeof Reflect.get(globalThis, name)),
    );
    expect(kinds).toEqual(['undefined', 'undefined', 'undefined', 'undefined']);
  });

  test('3, the preload script is isolated from it', async () => {
    expect(await preference('contextIsolation')).toBe(true);
    // What the page puts in the way of the preload script does not reach it.
    expect(await page.evaluate(() => Object.isFrozen(Reflect.get(globalThis, 'kerfDesktop')))).toBe(true);
  });

  test('4, its process is sandboxed', async () => {
    expect(await preference('sandbox')).toBe(true);
    const pid = await app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId(),
    );
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    // 2: system calls are filtered.
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  });

  test('5, it gets no permission, not even for a camera', async () => {
    const answers = await page.evaluate(async () => [
      await navigator.mediaDevices.getUserMedia({ video: true }).then(
        () => 'given',
        () => 'refused',
      ),
      await Notification.requestPermission(),
      await new Promise((resolve) =>
        navigator.geolocation.getCurrentPosition(
          () => resolve('given'),
          () => resolve('refused'),
        ),
      ),
      (await navigator.permissions.query({ name: 'midi' as PermissionName })).state,
    ]);
    expect(answers).toEqual(['refused', 'denied', 'refused', 'denied']);
  });

  test('6, web security is on', async () => {
    expect(await preference('webSecurity')).toBe(true);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  });

  test('7, a content security policy forbids all but its own files', async () => {
    const policy = await page.evaluate(async () => {
      // Its own policy does not let the page read itself: what Electron hands out does.
      const names: string[] = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => names.push(effectiveDirective));
      await fetch(location.href).catch(() => {});
      const script = document.createElement('script');
      script.textContent = 'globalThis.inlined = true';
      document.body.append(script);
      const image = new Image();
      image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';
      await new Promise((resolve) => {
        image.onload = image.onerror = resolve;
      });
      const frame = document.createElement('iframe');
      frame.src = 'kerf-inspector://app/';
      document.body.append(frame);
      await new Promise((resolve) => setTimeout(resolve, 500));
      frame.remove();
      script.remove();
      return { names, inlined: Reflect.get(globalThis, 'inlined') as unknown };
    });
    expect(policy.inlined).toBeUndefined();
    expect(new Set(policy.names)).toEqual(new Set(['connect-src', 'script-src-elem', 'img-src', 'frame-src']));
    expect(await inPage('return 1')).toBe('refused');
  });

  test.each([
    ['8, no content without encryption', 'allowRunningInsecureContent', [false, null]],
    ['9, no experimental features', 'experimentalFeatures', [false, null]],
    ['10, no Blink features', 'enableBlinkFeatures', ['', null]],
    ['11 and 12, no web views', 'webviewTag', [false, null]],
  ])('%s', async (_, name, allowed) => {
    expect(allowed).toContain(await preference(name));
  });

  test('12, a web view that is made all the same stays empty', async () => {
    const made = await page.evaluate(() => {
      const view = document.createElement('webview');
      view.setAttribute('src', 'kerf-inspector://app/');
      document.body.append(view);
      const isPlain = !('getURL' in view);
      view.remove();
      return isPlain;
    });
    expect(made).toBe(true);
    expect(app.windows()).toHaveLength(1);
  });

  test('13, it goes nowhere else', async () => {
    for (const place of ['data:text/html,<p>elsewhere</p>', 'file:///etc/hostname', 'https://example.invalid/']) {
      await page.evaluate((url) => {
        location.href = url;
      }, place);
      // An answer of the page that is still there.
      expect(await page.evaluate(() => location.origin)).toBe('kerf-inspector://app');
    }
    await soon(() => page.url()).toMatch(/^kerf-inspector:/);
  });

  test('14, it opens no window', async () => {
    expect(await page.evaluate(() => window.open('kerf-inspector://app/') === null)).toBe(true);
    expect(app.windows()).toHaveLength(1);
  });

  test('15, nothing is handed to other programs', async () => {
    const main = await readFile(join(APP, 'dist/desktop/main.cjs'), 'utf8');
    expect(main).not.toMatch(/openExternal|openPath|showItemInFolder/);
  });

  test('16, it is built for the Electron of its package', async () => {
    const { devDependencies } = JSON.parse(await readFile(join(APP, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    expect(Number(devDependencies['electron']?.split('.')[0])).toBeGreaterThanOrEqual(45);
  });

  test('17, who calls is looked at: a page of elsewhere with the same preload script gets no port', async () => {
    const stranger = join(home, 'stranger.html');
    await writeFile(stranger, '<title>stranger</title>');
    giveToUser(home);
    const ports = await app.evaluate(
      async ({ BrowserWindow }, { file, preload }) => {
        const opened = new BrowserWindow({
          show: false,
          webPreferences: { preload, sandbox: true, contextIsolation: true },
        });
        await opened.loadFile(file);
        const heard = (await opened.webContents.executeJavaScript(`new Promise((resolve) => {
          const heard = [];
          addEventListener('message', ({ data }) => heard.push(data.kind));
          kerfDesktop.connect(1);
          setTimeout(() => resolve(heard), 1_000);
        })`)) as string[];
        opened.destroy();
        return heard;
      },
      { file: stranger, preload: join(APP, 'dist/desktop/preload.cjs') },
    );
    expect(ports).toEqual([]);
    // Nor does a line that there is not; the page's own line comes.
    const own = (line: unknown): Promise<number> =>
      page.evaluate(
        (wanted) =>
          new Promise<number>((resolve) => {
            let heard = 0;
            addEventListener('message', ({ ports: given }) => {
              heard += given.length;
            });
            (Reflect.get(globalThis, 'kerfDesktop') as { connect(line: unknown): void }).connect(wanted);
            setTimeout(() => resolve(heard), 1_000);
          }),
        line,
      );
    for (const line of [0, 2, 1.5, '1', null, { line: 1 }]) expect(await own(line), JSON.stringify(line)).toBe(0);
    expect(await own(1)).toBe(1);
  });

  test('18, a scheme of its own that gives out the files of the page and nothing beside them', async () => {
    const status = (url: string): Promise<number> =>
      app.evaluate(async ({ net }, wanted) => (await net.fetch(wanted)).status, url);
    expect(await status('kerf-inspector://app/icon.svg')).toBe(200);
    for (const path of ['..%2Fdesktop%2Fmain.cjs', '../desktop/main.cjs', '%2Fetc%2Fhostname', 'desktop/main.cjs'])
      expect(await status(`kerf-inspector://app/${path}`), path).toBe(404);
    const file = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const image = new Image();
          image.onload = () => resolve('loaded');
          image.onerror = () => resolve('refused');
          image.src = 'file:///usr/share/pixmaps/debian-logo.png';
        }),
    );
    expect(file).toBe('refused');
  });

  test('20, the page gets one function of ours, and nothing of Electron', async () => {
    const ours = await page.evaluate(() => {
      const given = Reflect.get(globalThis, 'kerfDesktop') as Record<string, unknown>;
      return Object.entries(given).map(([name, value]) => `${name}: ${typeof value}`);
    });
    expect(ours).toEqual(['lines: number', 'connect: function']);
    expect(
      await page.evaluate(() => [
        typeof Reflect.get(globalThis, 'electron'),
        typeof Reflect.get(globalThis, 'ipcRenderer'),
      ]),
    ).toEqual(['undefined', 'undefined']);
  });
});
