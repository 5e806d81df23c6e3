// The page of `kerf plan --html` in a real Chromium: nothing fails, nothing overflows, blocks open, sliders read the charts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { handProfile, valuesOf, writeJson } from './support/hand-profiles.ts';
import { REAL } from './support/models.ts';
import { runKerf } from './support/run-kerf.ts';

const started = await startChromium();
const DIMS = ['p2o.DynamicDimension.0=1', 'p2o.DynamicDimension.1=48', 'p2o.DynamicDimension.2=192'];

describe.skipIf(started.browser === null)(`the page of a plan${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-plan-page-'));
    const values = await valuesOf(REAL.classifier, DIMS);
    const hand = { model: REAL.classifier, values, inputShapes: { x: [1, 3, 48, 192] } };
    await writeJson(folder, 'edge.json', await handProfile({ ...hand, name: 'station <4>', convolutionMs: 1 }));
    await writeJson(folder, 'cloud.json', await handProfile({ ...hand, name: 'server', convolutionMs: 0.02 }));
    const args = ['plan', REAL.classifier, '--edge', 'edge.json', '--cloud', 'cloud.json'];
    const ran = await runKerf([...args, '--uplink', '20mbit', '--rtt', '5ms', '--html', 'plan.html'], { cwd: folder });
    expect(ran).toMatchObject({ status: 0, stderr: '' });
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The page at a width, with whatever it complains of. */
  async function opened(width: number, more = {}): Promise<{ page: Page; faults: string[] }> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, ...more });
    const faults: string[] = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) faults.push(request.url());
    });
    await page.goto(pathToFileURL(join(folder, 'plan.html')).href);
    return { page, faults };
  }

  test.each([
    [400, 'light'],
    [400, 'dark'],
    [1280, 'light'],
    [1600, 'dark'],
  ] as const)(
    'at %i pixels, %s: no fault, nothing fetched, nothing wider than the window',
    async (width, colorScheme) => {
      const { page, faults } = await opened(width, { colorScheme });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      await page.close();
      expect(faults).toEqual([]);
      expect(wide).toBeLessThanOrEqual(width);
    },
  );

  test('a folded block opens and shows its nodes', async () => {
    const { page } = await opened(1280);
    const block = page.locator('details.g-fold').first();
    const nodes = block.locator(':scope > :not(summary)').first();
    expect(await nodes.isVisible()).toBe(false);
    await block.locator('summary').first().click();
    expect(await nodes.isVisible()).toBe(true);
    await page.close();
  });

  test('the sliders say what the tables say, by keyboard too', async () => {
    const { page } = await opened(1280);
    const slider = page.getByLabel('Look at an uplink');
    await slider.focus();
    await slider.press('Home');
    const first = (await page.locator('#bandwidth-table tbody tr').first().locator('td').allTextContents()).at(0) ?? '';
    const output = page.locator('.probe[data-table="bandwidth-table"] output');
    expect(first).toMatch(/ ms$/);
    expect(await output.textContent()).toContain(`edge only ${first}`);
    await slider.press('End');
    expect(await output.textContent()).toContain('uplink 1 Gbit/s');
    await page.close();
  });

  test('without a script all of it can still be read', async () => {
    const { page } = await opened(1280, { javaScriptEnabled: false });
    await expect(page.getByRole('heading', { level: 1 }).textContent()).resolves.toMatch(/ms a frame/);
    expect(await page.locator('.probe').first().isVisible()).toBe(false);
    expect(await page.locator('#cuts-table tbody tr').count()).toBeGreaterThan(10);
    await page.close();
  });
});
