// `npm test` and `npm run e2e`: gets a browser where there is none, then hands over to vitest.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { ensureBrowser } from './ensure-browser.mjs';
import { ensureElectron } from './ensure-electron.mjs';

const { path, reason } = await ensureBrowser();
if (path === null) console.log(`browser tests will be skipped: ${reason}`);

// Fetched where nobody watches; elsewhere the desktop is tested with the Electron that is there.
if (process.env['CI'] !== undefined && process.argv.includes('e2e')) {
  const electron = ensureElectron();
  if (electron.folder === null) console.log(`desktop tests will be skipped: ${electron.reason}`);
}

const vitest = new URL('../../node_modules/vitest/vitest.mjs', import.meta.url).pathname;
const given = process.argv.slice(2);
const standard = ['node', 'node-alone', ...(path ? ['browser'] : [])];
const projects = given.includes('--project') ? [] : standard.flatMap((name) => ['--project', name]);
const env = path === null ? { ...process.env, KERF_NO_BROWSER: reason } : { ...process.env, KERF_CHROMIUM: path };
const { status } = spawnSync(process.execPath, [vitest, 'run', ...projects, ...given], { stdio: 'inherit', env });
process.exit(status ?? 1);
