// The desktop's main process: one window, its scheme, its permissions, and the station's process. Nothing else.
import { mkdtempSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { app, BrowserWindow, dialog, ipcMain, MessageChannelMain, protocol, session } from 'electron';
import { CONNECT, GONE, LINES, ORIGIN, PORT, SCHEME } from './channels.ts';
import { MediaWindow } from './media-window.ts';
import { isWritable, noPlace } from './no-place.ts';
import { serveRenderer } from './serve-renderer.ts';
import { StationProcess } from './station-process.ts';

const RENDERER = join(__dirname, '../renderer');
/** Packaged, the station lies beside the archive: what it starts and loads is opened by path. */
const HOST = app.isPackaged ? join(process.resourcesPath, 'station/host.cjs') : join(__dirname, 'host.cjs');

protocol.registerSchemesAsPrivileged([
  { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
]);
// Every renderer, also one that a fault should make.
app.enableSandbox();

const obstacle = noPlace({ userData: userData(), temp: app.getPath('temp') }, app.getLocale());
if (obstacle !== null) giveUp(obstacle);
else if (app.requestSingleInstanceLock()) void app.whenReady().then(start);
else app.quit();

/** Electron makes it when it is asked for, and throws where it cannot. */
function userData(): string {
  try {
    return app.getPath('userData');
  } catch {
    return join(app.getPath('appData'), app.getName());
  }
}

/** To the terminal that started the app, where there is one, and in a window, which needs some place for Chromium. */
function giveUp(why: string): void {
  process.stderr.write(`${why}\n`);
  const place = [app.getPath('temp'), '/dev/shm'].find((folder) => isWritable(folder));
  if (place === undefined) return app.exit(1);
  app.setPath('userData', mkdtempSync(join(place, 'kerf-inspector-')));
  void app.whenReady().then(() => {
    dialog.showErrorBox('kerf Inspector', why);
    app.exit(1);
  });
}

function start(): void {
  // On X11 a window's class is the app's name, and a desktop looks for that in the entries of its menu: desktopName in stage.mjs.
  if (process.platform === 'linux') app.setName('kerf-inspector');
  const given = givenLines();
  const lines = Math.max(1, given.length);
  protocol.handle(SCHEME, (request) => serveRenderer(RENDERER, lines, request.url));
  const media = new MediaWindow();
  // Pages need none: cameras belong to the station, which has a window for them.
  session.defaultSession.setPermissionRequestHandler((contents, permission, answer, details) =>
    answer(permission === 'media' && media.owns(contents) && isVideoOnly(details)),
  );
  session.defaultSession.setPermissionCheckHandler(
    (contents, permission) => permission === 'media' && media.owns(contents),
  );
  const station = new StationProcess({
    script: HOST,
    args:
      given.length === 0
        ? ['--demo', join(app.getPath('userData'), 'demo-line')]
        : [...givenAuthority(), '--lines', ...given],
    onMedia: (port) => void media.connect(port).catch(() => media.close()),
    onGone: () => {
      media.close();
      for (const window of BrowserWindow.getAllWindows()) window.webContents.send(GONE);
    },
  });
  station.start();
  ipcMain.on(CONNECT, (event, line: unknown) => {
    // A frame that is gone has none; one of elsewhere gets nothing.
    if (event.senderFrame === null || !event.senderFrame.url.startsWith(`${ORIGIN}/`)) return;
    if (typeof line !== 'number' || !Number.isInteger(line) || line < 1 || line > lines) return;
    const { port1, port2 } = new MessageChannelMain();
    if (station.connect(port1, line)) event.sender.postMessage(PORT, line, [port2]);
    else event.sender.send(GONE);
  });
  const window = openWindow(lines);
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore();
    window.focus();
  });
  window.once('closed', () => media.close());
  app.on('window-all-closed', () => app.quit());
  app.on('will-quit', () => station.stop());
}

function openWindow(lines: number): BrowserWindow {
  const window = new BrowserWindow({
    width: 1280,
    height: 860,
    minWidth: 400,
    minHeight: 480,
    show: false,
    webPreferences: {
      preload: join(__dirname, 'preload.cjs'),
      additionalArguments: [`${LINES}${lines}`],
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
    },
  });
  window.removeMenu();
  window.once('ready-to-show', () => window.show());
  window.webContents.on('will-navigate', (event, url) => {
    if (!url.startsWith(`${ORIGIN}/`)) event.preventDefault();
  });
  // Nothing is handed to other programs either.
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  window.webContents.on('will-attach-webview', (event) => event.preventDefault());
  void window.loadURL(`${ORIGIN}/`);
  return window;
}

function isVideoOnly(details: object): boolean {
  const types = 'mediaTypes' in details ? details.mediaTypes : undefined;
  return Array.isArray(types) && types.every((type) => type === 'video');
}

/** `--ca=FILE`: what other machines' certificates are known by, as of `kerf inspect`. */
function givenAuthority(): string[] {
  const path = process.argv.find((argument) => argument.startsWith('--ca='))?.slice('--ca='.length);
  return path === undefined ? [] : ['--ca', resolve(path)];
}

/** A file that a desktop hands over comes as an address of its own. */
function lineOf(given: string): string {
  if (/^https?:/.test(given)) return given;
  return given.startsWith('file:') ? fileURLToPath(given) : resolve(given);
}

/** Arguments that are no options: station files, and addresses of other machines' lines. Without one the demo line runs. */
function givenLines(): string[] {
  const given = process.argv.slice(1).filter((argument) => !argument.startsWith('-'));
  // Unpacked, the first one is the app's own folder.
  const lines = app.isPackaged ? given : given.slice(1);
  return lines.map(lineOf);
}
