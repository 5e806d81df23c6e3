// The renderer's entry: a worker that talks with the station that served this page, or with the desktop's own -> the app.
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { desktopLine, desktopOf } from './connect-desktop.ts';
import { lineNumber } from './lines/lines-above.ts';
import { PageWorker } from './pictures/page-worker.ts';
import { settingsStore } from './shared/settings.ts';
import { inspectorOver } from './shared/store.ts';

const worker = new Worker(new URL('./station-worker.js', document.baseURI), { type: 'module' });
const desktop = desktopOf(window);
const line = desktop === null ? null : desktopLine(window, desktop, lineNumber(location) ?? 1);
const pictures = new PageWorker(window, worker, line);
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <App inspector={inspectorOver(pictures)} settings={settingsStore(localStorage, navigator.language)} />,
);
