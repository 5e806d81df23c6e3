// The entry of the page over several lines: how many the station's process has -> a tile for each.
import type { Connect } from '@kerf/protocol';
import { createRoot } from 'react-dom/client';
import { type Desktop, desktopLine, desktopOf } from '../connect-desktop.ts';
import { connectPage } from '../connect-page.ts';
import { HandedPorts } from '../pictures/handed-ports.ts';
import { settingsStore } from '../shared/settings.ts';
import { LinesPage } from './lines-page.tsx';
import { watchLine } from './watch-line.ts';

const desktop = desktopOf(window);
const count = desktop?.lines ?? (await linesServed());
const lines = Array.from({ length: count }, (_, at) => {
  const href = new URL(`./${at + 1}/`, document.baseURI).href;
  return watchLine(href, desktop === null ? connectPage(href) : connectLine(desktop, at + 1));
});
const root = document.getElementById('root');
if (root === null) throw new Error('lines.html has no #root');
createRoot(root).render(<LinesPage lines={lines} settings={settingsStore(localStorage, navigator.language)} />);

async function linesServed(): Promise<number> {
  const answer = await fetch('./lines.json', { cache: 'no-store' });
  return ((await answer.json()) as { readonly lines: number }).lines;
}

function connectLine(desktop: Desktop, number: number): Connect {
  const line = desktopLine(window, desktop, number);
  const ports = new HandedPorts(() => line.connect());
  line.onPort((port) => ports.take(port));
  return ports.connect;
}
