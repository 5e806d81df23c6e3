// A camera in the desktop app: a y4m file that plays round and round, through the station's process, onto the page's canvas.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelFile, writeVideo } from '@kerf/models';
import { _electron as electron } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findElectron } from '../support/ensure-electron.mjs';
import { type Desktop, giveToUser, openDesktop, reasonNotToRun } from './support/desktop.ts';
import { drawn, soon } from './support/inspecting.ts';

const APP = fileURLToPath(new URL('../../apps/inspector', import.meta.url));
const runtime = findElectron();
const reason = runtime.reason ?? reasonNotToRun(runtime.folder, join(APP, 'dist/desktop/main.cjs'));

describe.skipIf(reason !== null)(`a camera in the desktop app${reason === null ? '' : ` (${reason})`}`, () => {
  let home = '';
  let desktop: Desktop;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'kerf-desktop-'));
    await writeVideo(join(home, 'parts.y4m'), { station: 'fixture', seconds: 2, framesPerSecond: 4, goodShare: 0 });
    const station = {
      format: 'kerf-station/1',
      station: 'press-4',
      source: { kind: 'video', path: 'parts.y4m', pace: 'as-recorded', repeat: true },
      // A frame of the video is larger than the model's input.
      picture: { crop: { x: 80, y: 80, width: 224, height: 224 } },
      model: { path: modelFile('surface-v1') },
      task: { kind: 'anomaly' },
      sinks: [{ kind: 'json-lines', path: 'results.jsonl' }],
    };
    await writeFile(join(home, 'line.yaml'), JSON.stringify(station));
    desktop = await openDesktop(home);
    giveToUser(home);
  });
  afterAll(async () => {
    desktop?.close();
    await rm(home, { recursive: true, force: true });
  });

  test('its frames get verdicts, round after round, and the page shows them', async () => {
    const app = await electron.launch({
      executablePath: await desktop.executable(join(runtime.folder as string, 'electron')),
      args: [APP, join(home, 'line.yaml')],
      env: desktop.environment,
      timeout: 60_000,
    });
    try {
      const page = await app.firstWindow();
      await soon(() => page.locator('.tile').getAttribute('data-verdict'), { timeout: 60_000 }).toMatch(
        /^(PASS|REVIEW|NG)$/,
      );
      await soon(() => drawn(page, '.line-picture canvas')).toBe(1);
      // More than one round of the file.
      await soon(() => page.locator('.recent-part').count(), { timeout: 60_000 }).toBeGreaterThan(8);
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('press-4');
    } finally {
      await app.close();
    }
  });
});
