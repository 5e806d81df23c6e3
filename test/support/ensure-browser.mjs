// Finds a Chromium for the browser tests, and gets one when there is none. Returns its path, or null with the reason.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';

const KNOWN_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Path of an installed browser, or null. `KERF_CHROMIUM` names one that lies elsewhere. */
export async function findBrowser() {
  const { chromium } = await import('playwright');
  const candidates = [process.env.KERF_CHROMIUM, ...KNOWN_PATHS, chromium.executablePath()];
  return candidates.find((path) => path && existsSync(path)) ?? null;
}

/** @returns {Promise<{ path: string | null, reason: string }>} */
export async function ensureBrowser() {
  const found = await findBrowser();
  if (found) return { path: found, reason: '' };
  for (const { command, args } of ways()) {
    console.log(`no Chromium found; trying: ${command} ${args.join(' ')}`);
    const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 });
    const got = status === 0 ? await findBrowser() : null;
    if (got) return { path: got, reason: '' };
  }
  return { path: null, reason: 'no Chromium here, and none could be installed; set KERF_CHROMIUM to one' };
}

function ways() {
  const apt = existsSync('/usr/bin/apt-get');
  const install = 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium';
  const playwright = { command: 'npx', args: ['playwright', 'install', 'chromium'] };
  if (apt && process.getuid?.() === 0) return [{ command: 'sh', args: ['-c', install] }, playwright];
  return apt ? [playwright, { command: 'sudo', args: ['-n', 'sh', '-c', install] }] : [playwright];
}
