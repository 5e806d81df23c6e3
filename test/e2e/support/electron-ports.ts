// Electron's own ports as a carrier of the bridge: test process <-> page <-> main process <-> utility process <-> test process.
// The page has the app's preload script, main hands out ports as the app does; both ends hold the app's port transport and pass
// each message on to the test process over a socket.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { wsTransport } from '@kerf/edge-runtime/node';
import { KerfError, type Transport } from '@kerf/protocol';
import { build } from 'esbuild';
import { type ElectronApplication, _electron as electron } from 'playwright';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Desktop, giveToUser, openDesktop } from './desktop.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface ElectronPorts {
  /** A message port from the page to the utility process, seen from both of its ends. */
  connect(): Promise<{ readonly page: Transport; readonly station: Transport }>;
  /** Kills the utility process; another takes its place. */
  killStation(): void;
  close(): Promise<void>;
}

/** @param runtime folder with the binary `electron` */
export async function openElectronPorts(runtime: string): Promise<ElectronPorts> {
  const home = await mkdtemp(join(tmpdir(), 'kerf-electron-ports-'));
  const work = await mkdtemp(join(tmpdir(), 'kerf-electron-app-'));
  const sockets = { page: new Waiting(), station: new Waiting() };
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket, { url }) => sockets[url === '/page' ? 'page' : 'station'].take(socket));
  await bundleApp(work, (server.address() as AddressInfo).port);
  giveToUser(work);
  let desktop: Desktop | null = null;
  let app: ElectronApplication | null = null;
  try {
    desktop = await openDesktop(home);
    const executablePath = await desktop.executable(join(runtime, 'electron'));
    app = await electron.launch({ executablePath, args: [work], env: desktop.environment, timeout: 60_000 });
  } catch (error) {
    desktop?.close();
    server.close();
    throw error;
  }
  const [running, shown] = [app, desktop];
  const page = await running.firstWindow();
  await page.waitForFunction(() => 'openPort' in globalThis);
  return {
    async connect() {
      sockets.page.forget();
      sockets.station.forget();
      await page.evaluate(() => (globalThis as unknown as { openPort(): void }).openPort());
      const [ofPage, ofStation] = await Promise.all([sockets.page.next(), sockets.station.next()]);
      if (ofPage === null || ofStation === null) {
        throw new KerfError('LINK_LOST', 'the utility process is away');
      }
      return { page: wsTransport(ofPage), station: wsTransport(ofStation) };
    },
    killStation: () => void running.evaluate(() => (globalThis as unknown as { killStation(): void }).killStation()),
    async close() {
      await running.close();
      shown.close();
      for (const socket of server.clients) socket.terminate();
      server.close();
      for (const folder of [home, work]) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The next socket of one end, for who waits for it. */
class Waiting {
  private come: WebSocket | null = null;

  take(socket: WebSocket): void {
    this.come = socket;
  }

  forget(): void {
    this.come = null;
  }

  /** Null where none comes: the port went to a process that had just died. */
  async next(): Promise<WebSocket | null> {
    for (let tries = 0; tries < 100 && this.come === null; tries++) await delay(20);
    return this.come;
  }
}

async function bundleApp(work: string, port: number): Promise<void> {
  const common = {
    bundle: true,
    logLevel: 'warning' as const,
    conditions: ['@kerf/source'],
    define: { KERF_TEST_PORT: String(port) },
    external: ['electron'],
    outdir: work,
  };
  const entry = (name: string) => ({ in: here(`../electron/${name}.ts`), out: name });
  await build({ ...common, entryPoints: [entry('page')], format: 'iife', target: 'chrome114' });
  await build({
    ...common,
    entryPoints: [
      entry('main'),
      entry('station'),
      { in: here('../../../apps/inspector/src/desktop/preload.ts'), out: 'preload' },
    ],
    format: 'cjs',
    platform: 'node',
    target: 'node18',
  });
  await writeFile(join(work, 'index.html'), '<!doctype html><meta charset="utf-8"><script src="page.js"></script>');
  await writeFile(join(work, 'package.json'), JSON.stringify({ name: 'kerf-ports', main: 'main.js' }));
}
