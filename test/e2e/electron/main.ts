// Main process of the test's app: a page with the app's preload script, and ports handed out as the app does.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { app, BrowserWindow, ipcMain, MessageChannelMain, protocol } from 'electron';
import { CONNECT, GONE, ORIGIN, PORT, SCHEME } from '../../../apps/inspector/src/desktop/channels.ts';
import { StationProcess } from '../../../apps/inspector/src/desktop/station-process.ts';

protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }]);
app.enableSandbox();
void app.whenReady().then(start);

function start(): void {
  protocol.handle(SCHEME, async ({ url }) => {
    const isScript = url.endsWith('.js');
    const bytes = await readFile(join(__dirname, isScript ? 'page.js' : 'index.html'));
    return new Response(new Uint8Array(bytes), {
      headers: { 'content-type': isScript ? 'text/javascript' : 'text/html' },
    });
  });
  const station = new StationProcess({
    script: join(__dirname, 'station.js'),
    args: [],
    onMedia: (port) => port.close(),
    onGone: () => {
      for (const window of BrowserWindow.getAllWindows()) window.webContents.send(GONE);
    },
  });
  station.start();
  ipcMain.on(CONNECT, (event, line: number) => {
    const { port1, port2 } = new MessageChannelMain();
    if (station.connect(port1, line)) event.sender.postMessage(PORT, line, [port2]);
    else event.sender.send(GONE);
  });
  Object.assign(globalThis, {
    killStation: () => {
      if (station.pid !== undefined) process.kill(station.pid, 'SIGKILL');
    },
  });
  app.on('will-quit', () => station.stop());
  const webPreferences = { preload: join(__dirname, 'preload.js'), contextIsolation: true, sandbox: true };
  void new BrowserWindow({ show: false, webPreferences }).loadURL(`${ORIGIN}/`);
}
