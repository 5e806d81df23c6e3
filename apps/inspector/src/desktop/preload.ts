// The one thing that the page gets of the desktop: a port to the station. Runs sandboxed and isolated.
import { contextBridge, ipcRenderer } from 'electron';
import { CONNECT, GONE, PORT } from './channels.ts';

// A port cannot go through the context bridge: it goes as a message of the window to itself.
ipcRenderer.on(PORT, (event) => window.postMessage(PORT, location.origin, [...event.ports]));
ipcRenderer.on(GONE, () => window.postMessage(GONE, location.origin));

contextBridge.exposeInMainWorld('kerfDesktop', { connect: () => ipcRenderer.send(CONNECT) });
