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
const machines = desktop === null ? await linesServed() : Array.from({ length: desktop.lines }, () => null);
const lines = machines.map((machine, at) => {
  const href = new URL(`./${at + 1}/`, document.baseURI).href;
  return watchLine(href, machine, desktop === null ? connectPage(href) : connectLine(desktop, at + 1));
});
const root = document.getElementById('root');
if (root === null) throw new Error('lines.html has no #root');
createRoot(root).render(<LinesPage lines={lines} settings={settingsStore(localStorage, navigator.language)} />);

/** For each line the machine that it runs on; null for that of this page. */
async function linesServed(): Promise<readonly (string | null)[]> {
  const answer = await fetch('./lines.json', { cache: 'no-store' });
  return ((await answer.json()) as { readonly lines: readonly (string | null)[] }).lines;
}

function connectLine(desktop: Desktop, number: number): Connect {
  const line = desktopLine(window, desktop, number);
  const ports = new HandedPorts(() => line.connect());
  line.onPort((port) => ports.take(port));
  return ports.connect;
}
