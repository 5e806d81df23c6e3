// The Inspector as `npm run package` makes it, fuses and all, with the Electron at hand: what is in it, and that it works.
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { findElectron } from '../support/ensure-electron.mjs';
import { type Desktop, openDesktop, reasonNotToRun } from './support/desktop.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
/** States of a fuse, as the binary holds them. */
const [OFF, ON] = ['0', '1'].map((state) => state.charCodeAt(0));

const runtime = findElectron();
const reason = runtime.reason ?? reasonNotToRun(runtime.folder, join(ROOT, 'package.json'));

describe.skipIf(reason !== null)(`the packaged Inspector${reason === null ? '' : ` (${reason})`}`, () => {
  let work = '';
  let binary = '';
  let desktop: Desktop;
  let app: ChildProcess;
  let address = '';
  let inPage: (expression: string) => Promise<unknown>;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'kerf-package-'));
    await chmod(work, 0o755);
    // Without the app that a runtime for tests brings.
    const electron = join(work, 'electron');
    await cp(runtime.folder as string, electron, { recursive: true, verbatimSymlinks: true });
    await rm(join(electron, 'resources/app'), { recursive: true, force: true });
    const { stdout: version } = await run(join(electron, 'electron'), ['-p', 'process.versions.electron'], {
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    });
    const output = join(work, 'out');
    const settings = [`electronDist=${electron}`, `electronVersion=${version.trim()}`, `directories.output=${output}`];
    const line = ['run', '--silent', 'package', '-w', '@kerf/inspector', '--', '--dir'];
    await run('npm', [...line, ...settings.map((one) => `-c.${one}`)], { cwd: ROOT, maxBuffer: 1 << 26 });
    binary = join(output, 'linux-unpacked/kerf-inspector');
    const home = await mkdtemp(join(tmpdir(), 'kerf-desktop-'));
    desktop = await openDesktop(home);
    app = spawn(await desktop.executable(binary), ['--remote-debugging-port=0'], {
      env: desktop.environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    address = await debuggerOf(app);
  }, 180_000);
  afterAll(async () => {
    app?.kill();
    desktop?.close();
    await rm(work, { recursive: true, force: true });
  });

  test('runs the demo line without any configuration, its station from files beside the archive', async () => {
    inPage = await evaluator(address);
    await expect
      .poll(() => inPage("document.querySelector('.tile')?.dataset.verdict"), { timeout: 90_000 })
      .toMatch(/^(PASS|REVIEW|NG)$/);
    expect(await inPage('location.href')).toMatch(/^kerf-inspector:\/\/app\//);
  });

  test('its window has the class of the entry in the menu, so that a desktop shows them as one', async ({ skip }) => {
    if (spawnSync('which', ['xwininfo']).status !== 0) skip('no xwininfo on this machine');
    const { stdout } = await run('xwininfo', ['-root', '-tree'], {
      env: { ...desktop.environment, LC_ALL: 'C.UTF-8' },
    });
    // The window itself among those that hold a clipboard and the like. Its entry is read in archives.test.ts.
    const windows = stdout.matchAll(/ – kerf Inspector.*?": \("(.*?)" "(.*?)"\)/g);
    const classes = [...windows].map(([, ...names]) => names);
    expect(classes).toEqual([['kerf-inspector', 'kerf-inspector']]);
  });

  test('holds the app in its archive, the station beside it, and nothing of the workshop', async () => {
    const resources = join(binary, '../resources');
    expect((await readdir(resources)).toSorted()).toEqual(['app.asar', 'station']);
    const packages = await readdir(join(resources, 'station/node_modules'));
    expect(packages).toContain('onnxruntime-node');
    for (const tool of ['electron', 'electron-builder', 'vitest', 'typescript', 'react', 'playwright', 'esbuild'])
      expect(packages).not.toContain(tool);
    expect(await readdir(join(resources, 'station/node_modules/@kerf/inspector/dist'))).toEqual(['demo']);
  });

  test('has its fuses set: not a Node, no inspector, no other code than the archive', async () => {
    const wire = await getCurrentFuseWire(binary);
    expect(wire[FuseV1Options.RunAsNode]).toBe(OFF);
    expect(wire[FuseV1Options.EnableNodeOptionsEnvironmentVariable]).toBe(OFF);
    expect(wire[FuseV1Options.EnableNodeCliInspectArguments]).toBe(OFF);
    expect(wire[FuseV1Options.OnlyLoadAppFromAsar]).toBe(ON);
    expect(wire[FuseV1Options.EnableCookieEncryption]).toBe(ON);
    // Asked to be a Node, it is the app: a second one, which leaves at once.
    const second = spawn(await desktop.executable(binary), ['-e', 'process.exit(42)'], {
      env: { ...desktop.environment, ELECTRON_RUN_AS_NODE: '1' },
      stdio: 'ignore',
    });
    expect(await once(second, 'exit')).toEqual([0, null]);
  });
});

/** The port at which Chromium says that it listens. */
function debuggerOf(app: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    app.stderr?.on('data', (data: Buffer) => {
      said += data.toString('utf8');
      const found = /DevTools listening on ws:\/\/([^/]+)\//.exec(said);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
    app.once('exit', () => reject(new Error(`the app ended: ${said}`)));
  });
}

/** Evaluates in the app's page. Playwright drives no Electron whose Node inspector is off. */
async function evaluator(address: string): Promise<(expression: string) => Promise<unknown>> {
  const pages = async (): Promise<{ type: string; webSocketDebuggerUrl: string }[]> =>
    (await fetch(`http://${address}/json/list`)).json() as Promise<{ type: string; webSocketDebuggerUrl: string }[]>;
  await expect.poll(async () => (await pages()).map(({ type }) => type), { timeout: 30_000 }).toEqual(['page']);
  const socket = new WebSocket((await pages())[0]?.webSocketDebuggerUrl ?? '');
  await once(socket, 'open');
  let count = 0;
  return async (expression) => {
    const id = ++count;
    socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params: { expression, returnByValue: true } }));
    for (;;) {
      const [data] = (await once(socket, 'message')) as [Buffer];
      const answer = JSON.parse(data.toString('utf8')) as { id?: number; result?: { result: { value?: unknown } } };
      if (answer.id === id) return answer.result?.result.value;
    }
  };
}
