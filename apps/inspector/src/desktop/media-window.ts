// A window that nobody sees and that may use cameras: opened when a station asks for one, gone with the station.
import { join } from 'node:path';
import process from 'node:process';
import { BrowserWindow, type MessagePortMain, systemPreferences, type WebContents } from 'electron';
import { MEDIA, ORIGIN } from './channels.ts';

export class MediaWindow {
  private window: BrowserWindow | null = null;
  private loaded: Promise<void> | null = null;

  /** Whether these are its contents: the only ones that may use a camera. */
  owns(contents: WebContents | null): boolean {
    return contents !== null && contents === this.window?.webContents;
  }

  /** Hands the page one end of a port. */
  async connect(port: MessagePortMain): Promise<void> {
    await this.open();
    this.window?.webContents.postMessage(MEDIA, null, [port]);
  }

  close(): void {
    this.window?.destroy();
    this.window = null;
    this.loaded = null;
  }

  private open(): Promise<void> {
    this.loaded ??= this.load();
    return this.loaded;
  }

  private async load(): Promise<void> {
    // The system asks the person once; what is said is told by the camera that opens, or does not.
    if (process.platform === 'darwin') await systemPreferences.askForMediaAccess('camera');
    const window = new BrowserWindow({
      show: false,
      webPreferences: {
        preload: join(__dirname, 'media-preload.cjs'),
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        webSecurity: true,
        // A hidden page goes on seeing.
        backgroundThrottling: false,
      },
    });
    this.window = window;
    window.webContents.on('will-navigate', (event) => event.preventDefault());
    window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
    window.webContents.on('render-process-gone', () => this.close());
    await window.loadURL(`${ORIGIN}/media.html`);
  }
}
