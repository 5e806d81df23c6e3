// Ports to the station for the page that opens cameras: it gets nothing else. Runs sandboxed and isolated.
import { ipcRenderer } from 'electron';
import { MEDIA } from './channels.ts';

ipcRenderer.on(MEDIA, (event) => window.postMessage({ kind: MEDIA }, location.origin, [...event.ports]));
