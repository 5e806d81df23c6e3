// Several lines in one page: a real Chromium, and `kerf inspect` with two station files, one of them without its camera.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startChromium } from '../support/chromium.ts';
import { InspectedLine } from './support/inspected-line.ts';
import { checkPage, drawn, keepLooks, openPage, runInspect, soon, stopInspect } from './support/inspecting.ts';

const started = await startChromium();

describe.skipIf(started.browser === null)(`several lines${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  let line: InspectedLine;

  beforeAll(async () => {
    line = await InspectedLine.open(browser, { name: '一号线' });
    await line.addLine('line-8');
  });
  afterAll(async () => {
    await line?.close();
    await browser.close();
  });

  test('a tile each, with what is wrong; by keys there and back; a station that ends is said of all', async () => {
    await line.feed(1);
    const { page, faults } = await line.page();
    const [first, second] = [page.locator('.line-tile').nth(0), page.locator('.line-tile').nth(1)];
    await soon(() => first.getAttribute('data-verdict')).toMatch(/^(PASS|REVIEW|NG)$/);
    expect(await first.textContent()).toContain('一号线');
    expect(await second.getAttribute('data-verdict')).toBe('none');
    await rm(join(line.folder, 'in-line-8'), { recursive: true });
    await second.getByText('is lost').waitFor();
    // The folder by its name: where it lies on the device is nobody's business here.
    const said = (await second.textContent()) ?? '';
    expect(said).toContain('in-line-8');
    expect(said).not.toContain(line.folder);

    await page.keyboard.press('1');
    await soon(() => drawn(page, '.line-picture canvas')).toBe(1);
    await page.keyboard.press('l');
    await second.click();
    await page.getByRole('heading', { name: 'line-8' }).waitFor();
    await page.getByRole('link', { name: 'Lines' }).click();
    await first.waitFor();
    await soon(() => first.getAttribute('data-verdict')).not.toBe('none');
    await keepLooks(page, 'lines');
    expect(faults).toEqual([]);

    const other = await line.page({ language: 'zh', theme: 'dark', gloves: true }, { width: 400 });
    await other.page.locator('.line-tile').nth(1).getByText('已丢失').waitFor();
    await checkPage(other.page, 'lines', true);
    expect(other.faults).toEqual([]);
    // From another machine, for those who only look: its lines are lines there as well.
    const { url } = line.inspecting;
    const far = await runInspect(line.folder, `${url}1/`, `${url}2/`, '--role', 'viewer');
    const hall = await openPage(browser, far.url);
    const tile = hall.page.locator('.line-tile').first();
    await soon(() => tile.getAttribute('data-verdict')).not.toBe('none');
    await hall.page.locator('.line-tile').nth(1).getByText('is lost').waitFor();
    await tile.click();
    await soon(() => drawn(hall.page, '.line-picture canvas')).toBe(1);
    expect(await hall.page.getByRole('button', { name: 'Pause' }).count()).toBe(0);

    await stopInspect(line.inspecting);
    await soon(() => page.getByText('The station cannot be reached').count()).toBe(2);
    await hall.page.getByText('The station cannot be reached').waitFor();
    // Nobody has said its name to who comes now: the machine stands for it.
    const late = await openPage(browser, far.url);
    await late.page.locator('.line-tile').first().getByText(new URL(url).host).waitFor();
    await late.page.close();
    expect(hall.faults).toEqual([]);
    await Promise.all([page.close(), other.page.close(), hall.page.close()]);
    await stopInspect(far);
  });
});
