// The one thing that the page gets of the desktop: how many lines there are, and a port to each. Runs sandboxed and isolated.
import { contextBridge, ipcRenderer } from 'electron';
import { CONNECT, GONE, LINES, PORT } from './channels.ts';

// A port cannot go through the context bridge: it goes as a message of the window to itself.
ipcRenderer.on(PORT, (event, line: number) =>
  window.postMessage({ kind: PORT, line }, location.origin, [...event.ports]),
);
ipcRenderer.on(GONE, () => window.postMessage({ kind: GONE }, location.origin));

const lines = process.argv.find((argument) => argument.startsWith(LINES))?.slice(LINES.length) ?? '1';
contextBridge.exposeInMainWorld('kerfDesktop', {
  lines: Number(lines),
  connect: (line: number) => ipcRenderer.send(CONNECT, line),
});
