// The renderer's entry: a bridge to the station that served this page -> the app.
import { openBridge } from '@kerf/bridge';
import { systemClock } from '@kerf/protocol';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { connectPage } from './connect-page.ts';
import { settingsStore } from './shared/settings.ts';
import { inspectorOver } from './shared/store.ts';

const bridge = openBridge({ connect: connectPage(location.href), clock: systemClock, random: Math.random });
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <App inspector={inspectorOver(bridge)} settings={settingsStore(localStorage, navigator.language)} />,
);
