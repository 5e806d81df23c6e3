// The renderer's entry: a bridge to the station that served this page, or to the desktop's own -> the app.
import { openBridge } from '@kerf/bridge';
import { systemClock } from '@kerf/protocol';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { connectDesktop, desktopOf } from './connect-desktop.ts';
import { connectPage } from './connect-page.ts';
import { settingsStore } from './shared/settings.ts';
import { inspectorOver } from './shared/store.ts';

const desktop = desktopOf(window);
const connect = desktop === null ? connectPage(location.href) : connectDesktop(window, desktop);
const bridge = openBridge({ connect, clock: systemClock, random: Math.random });
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <App inspector={inspectorOver(bridge)} settings={settingsStore(localStorage, navigator.language)} />,
);
