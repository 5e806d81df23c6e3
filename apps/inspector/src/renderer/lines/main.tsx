// The entry of the page over several lines: how many the station's process has -> a tile for each.
import { createRoot } from 'react-dom/client';
import { settingsStore } from '../shared/settings.ts';
import { LinesPage } from './lines-page.tsx';
import { watchLine } from './watch-line.ts';

const answer = await fetch('./lines.json', { cache: 'no-store' });
const { lines: count } = (await answer.json()) as { readonly lines: number };
const lines = Array.from({ length: count }, (_, at) => watchLine(new URL(`./${at + 1}/`, document.baseURI).href));
const root = document.getElementById('root');
if (root === null) throw new Error('lines.html has no #root');
createRoot(root).render(<LinesPage lines={lines} settings={settingsStore(localStorage, navigator.language)} />);
