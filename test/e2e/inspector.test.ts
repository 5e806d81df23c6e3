// The Inspector in a real Chromium against a real station: kerf inspect on the reference model and generated parts.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startChromium } from '../support/chromium.ts';
import { InspectedLine } from './support/inspected-line.ts';
import {
  checkScreen,
  drawn,
  hasKeyboard,
  keepLooks,
  keepPicture,
  type OpenPage,
  pressTab,
  SCREEN_LOOKS,
  soon,
  tabTo,
} from './support/inspecting.ts';

/** Of the size of a font: how high its capitals are. */
const CAPITAL = 0.72;

const started = await startChromium();

describe.skipIf(started.browser === null)(`the Inspector${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  let line: InspectedLine;

  const open = (settings: Record<string, unknown> = {}, width = 1280, height = 800): Promise<OpenPage> =>
    line.page(settings, { width, height });

  /** Parts that were judged, whichever test is the first. */
  const judged = async (count: number): Promise<void> => {
    const missing = count - (await line.results()).length;
    if (missing > 0) await line.feed(missing);
    await soon(async () => (await line.results()).length).toBeGreaterThanOrEqual(count);
  };

  beforeAll(async () => {
    line = await InspectedLine.open(browser, { name: 'line-7', parts: 8 });
  });
  afterAll(async () => {
    await line?.close();
    await browser.close();
  });

  test('shows each part with its verdict, counts it, and gives its reason', async () => {
    const { page, faults } = await open();
    await page.getByText('Waiting for the first part').waitFor();
    // One after the other, as a line brings them.
    for (let part = 1; part <= 9; part++) {
      await line.feed(1);
      await soon(() => page.locator('.recent-part').count()).toBe(part);
    }
    await soon(async () => (await line.results()).length).toBe(9);
    const records = await line.results();
    const newest = records.at(-1);
    expect(newest?.verdict).toMatch(/^(PASS|REVIEW|NG)$/);
    // The list shows what is known; the tile waits for the picture.
    await soon(() => page.locator('.tile').getAttribute('data-verdict')).toBe(newest?.verdict);
    const ng = records.filter(({ verdict }) => verdict === 'NG').length;
    await soon(() => page.locator('.figures dd').nth(2).textContent()).toBe(String(ng));

    await keepLooks(page, 'line');
    await page.setViewportSize({ width: 400, height: 800 });
    await keepPicture(page, 'line-phone');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.locator('.recent-part').first().click();
    await page.locator('.why h3').first().waitFor();
    expect(await page.locator('.why').textContent()).toContain(newest?.score.toFixed(3) ?? '?');
    expect(await page.locator('.waterfall tbody tr').count()).toBeGreaterThan(4);
    await soon(() => drawn(page, '.why canvas')).toBe(1);
    await keepLooks(page, 'results');
    await page.close();
    expect(faults).toEqual([]);
  });

  test('can be used by keys alone', async () => {
    await judged(1);
    const { page, faults } = await open();
    await page.locator('.recent-part').first().waitFor();
    await page.keyboard.press('p');
    await page.getByText('The line is paused').waitFor();
    // What comes meanwhile waits, and is judged when the line goes on.
    const before = (await line.results()).length;
    await line.feed(8);
    await page.keyboard.press('p');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await soon(async () => (await line.results()).length).toBe(before + 8);
    await page.keyboard.press('o');
    await page.getByRole('button', { name: 'Show overlay' }).waitFor();
    const names = await page.locator('nav a').allTextContents();
    expect(names.slice(0, 3)).toEqual(['Line', 'Results', 'Thresholds']);
    for (const [at, name] of [...names.entries()].reverse()) {
      await page.keyboard.press(String(at + 1));
      await soon(() => page.locator('nav a[aria-current=page]').textContent()).toBe(name);
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    // The browser takes the keyboard from what is hidden with its next frame.
    await soon(() => page.evaluate(() => document.activeElement?.tagName)).not.toBe('SELECT');

    await page.keyboard.press('3');
    const field = page.getByRole('spinbutton', { name: 'PASS below' });
    const limit = Number(await field.inputValue());
    await tabTo(page, page.getByRole('slider', { name: 'PASS below' }));
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    await soon(async () => Number(await field.inputValue()) - limit).toBeCloseTo(0.11, 2);
    await pressTab(page, page.getByRole('button', { name: 'Undo' }));
    await soon(() => field.inputValue()).toBe(String(limit));
    await page.close();
    expect(faults).toEqual([]);
  });

  test('thresholds: what they would have changed, a reason, the file, and a conflict with somebody else', async () => {
    await judged(8);
    const first = await open();
    const second = await open();
    for (const { page } of [first, second]) {
      await page.keyboard.press('3');
      await page.getByRole('slider', { name: 'PASS below' }).waitFor();
    }
    const { page } = first;
    await page.getByLabel('NG from').last().fill('0.9999');
    await page.getByLabel('PASS below').last().fill('0.9998');
    await page.getByText(/of the last \d+ verdicts would have changed/).waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Say why').waitFor();
    await page.getByLabel('Why this change').fill('the new lamp');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved as version').waitFor();
    expect(await hasKeyboard(page)).toBe(true);
    expect(await page.locator('.history tbody').textContent()).toContain('the new lamp0.99980.9999');
    const text = await readFile(join(line.folder, 'line.yaml'), 'utf8');
    expect(text).toContain('# the line of this test');
    expect(parse(text)).toMatchObject({ thresholds: { passBelow: 0.9998, ngAbove: 0.9999 } });
    // The other page has heard of it, and a draft made on the old version is refused.
    await soon(() => second.page.getByLabel('NG from').last().inputValue()).toBe('0.9999');
    await second.page.getByLabel('NG from').last().fill('1');
    await page.getByLabel('NG from').last().fill('0.99995');
    expect(await page.getByLabel('NG from').last().inputValue()).toBe('0.99995');
    await page.getByLabel('Why this change').fill('again');
    await page.getByRole('button', { name: 'Save' }).click();
    await soon(() => page.locator('.history tbody tr').count()).toBe(2);
    await second.page.getByLabel('Why this change').fill('late');
    await second.page.getByRole('button', { name: 'Save' }).click();
    await second.page.getByText('Someone else has changed the thresholds').waitFor();
    await line.feed(1);
    await page.keyboard.press('1');
    await soon(() => page.locator('.tile').getAttribute('data-verdict')).toBe('PASS');
    await page.close();
    await second.page.close();
    expect([...first.faults, ...second.faults]).toEqual([]);
  });

  test.each(SCREEN_LOOKS)(
    '%s, %s, %i pixels: nothing serious for axe, nothing wider than the window',
    async (language, theme, width, height, gloves) => {
      await judged(8);
      const { page, faults } = await open({ language, theme, gloves }, width, height);
      await page.locator('.recent-part').first().waitFor();
      // Read at three metres: a letter is a three hundredth of that high, at 96 pixels to the inch. A phone is in the hand.
      const wordPx = await page
        .locator('.tile-word')
        .evaluate((it) => Number.parseFloat(getComputedStyle(it).fontSize));
      if (width > 500) expect((wordPx * CAPITAL * 25.4) / 96, 'millimetres').toBeGreaterThanOrEqual(3_000 / 300);
      const screens = await page.locator('nav a').count();
      for (let at = 0; at < screens; at++) {
        await page.locator('nav a').nth(at).click();
        if (at === 1) await page.locator('.rows li button').first().click();
        await page.waitForTimeout(300);
        await checkScreen(page, `screen ${at + 1}`, gloves);
        await keepPicture(page, `${at + 1}-${language}-${theme}-${width}`);
      }
      await page.close();
      expect(faults).toEqual([]);
    },
  );

  test('a stranger without the address gets nothing, and no page of another origin reaches the station', async () => {
    const { origin, pathname } = new URL(line.inspecting.url);
    expect((await fetch(`${origin}/`)).status).toBe(404);
    expect((await fetch(`${origin}/wrong-secret-of-that-length/`)).status).toBe(404);
    const { page } = await open();
    const outcome = (url: string): Promise<string> =>
      page.evaluate(
        (target) =>
          new Promise<string>((resolve) => {
            const socket = new WebSocket(target, 'kerf-inspector.v1');
            socket.onopen = () => resolve('open');
            socket.onerror = () => resolve('refused');
          }),
        url,
      );
    expect(await outcome(`${origin.replace('http', 'ws')}${pathname}bridge`)).toBe('open');
    expect(await outcome(`${origin.replace('http', 'ws')}/wrong/bridge`)).toBe('refused');
    await page.goto('data:text/html,<p>elsewhere</p>');
    expect(await outcome(`${origin.replace('http', 'ws')}${pathname}bridge`)).toBe('refused');
    await page.close();
  });

  test('says that the station is away; a viewer of the next run sees all and changes nothing', async () => {
    await judged(1);
    const { port } = new URL(line.inspecting.url);
    const { page } = await open();
    await page.locator('.recent-part').first().waitFor();
    line.inspecting.child.kill('SIGKILL');
    await once(line.inspecting.child, 'exit');
    await page.getByText('The station cannot be reached').waitFor();
    await line.restart('--port', port, '--role', 'viewer');
    // Another run has another address.
    const again = await open();
    await again.page.getByRole('heading', { name: 'line-7' }).waitFor();
    await again.page.keyboard.press('3');
    await again.page.getByText('needs the role Engineer; this link has Viewer').waitFor();
    expect(await again.page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
    await again.page.close();
    // The page that has the old one says so.
    await page.getByText('started again with another address').waitFor();
    await page.close();
  });
});
