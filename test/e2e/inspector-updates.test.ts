// The Inspector's screens Updates and Health in a real Chromium: a real repository, a real device and station, a real registry.
import { readFileSync } from 'node:fs';
import { cp, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { ResultRecord } from '@kerf/edge-runtime';
import { modelFile } from '@kerf/models';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { childrenOf } from '../../packages/cli/test/support/children-of.ts';
import { FOREVER, meanModel } from '../../packages/cli/test/support/mean-model.ts';
import { startChromium } from '../support/chromium.ts';
import { type KerfRegistry, startKerfRegistry } from '../support/kerf-registry.ts';
import {
  checkScreen,
  hasKeyboard,
  type Inspecting,
  keepLooks,
  keepPicture,
  openPage,
  pressTab,
  SCREEN_LOOKS,
  soon,
  startInspect,
  stopInspect,
} from './support/inspecting.ts';
import { jsonLines, jsonOf } from './support/run-kerf.ts';
import { openUpdateWorld, type UpdateWorld } from './support/update-world.ts';

const started = await startChromium();

function isTrial(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('trial-main');
  } catch {
    return false;
  }
}

describe.skipIf(started.browser === null)(
  `updates in the Inspector${started.reason ? ` (${started.reason})` : ''}`,
  () => {
    const browser = started.browser as Browser;
    let world: UpdateWorld;
    let registry: KerfRegistry;
    let running: Inspecting;
    const fed: string[] = [];

    const asAnn = async <T>(...args: string[]): Promise<T> => {
      const reach = [
        '--registry',
        registry.url,
        '--token',
        await registry.token('ann'),
        '--ca',
        registry.certificatePath,
      ];
      return jsonOf<T>(await world.kerf(...args, ...reach, '--json'));
    };
    const deviceState = async (): Promise<{ active: { version: string }; trialStarts: number | null }> =>
      jsonOf(await world.kerf('update', 'status', '--device', 'device', '--json'));
    const results = async (): Promise<ResultRecord[]> =>
      jsonLines(await readFile(join(world.folder, 'results.jsonl'), 'utf8')) as unknown as ResultRecord[];

    async function open(settings: Record<string, unknown> = {}, size?: { width: number; height: number }) {
      const opened = await openPage(browser, running.url, settings, size);
      await opened.page.getByRole('heading', { name: 'line-7' }).waitFor();
      await show(opened.page, 'Updates');
      return opened;
    }

    /** By its name, in either language: more screens come, and the keys count them. */
    async function show(page: Page, screen: 'Updates' | 'Health'): Promise<void> {
      await page.locator(`nav a[href="#${screen.toLowerCase()}"]`).click();
    }

    async function look(page: Page): Promise<void> {
      await pressTab(page, page.getByRole('button', { name: 'Look for releases' }));
      await page.getByText('Looked for releases.').waitFor();
    }

    /** Answers what the form behind a button asks, without a mouse. */
    async function doAs(page: Page, name: string, note: string): Promise<void> {
      await pressTab(page, page.getByRole('button', { name, exact: true }));
      await page.locator('.action-form input:focus').waitFor();
      await page.keyboard.type(note);
      await pressTab(page, page.getByRole('button', { name: `${name} – Yes, do it` }));
    }

    beforeAll(async () => {
      world = await openUpdateWorld({
        updates: { knownParts: 'known', registry: { url: 'http://127.0.0.1:9', tokenFile: 'registry.token' } },
        maxRate: 1_000_000,
      });
      await world.publish('1.1', 'surface-v3', '--notes', 'Fewer false alarms on brushed steel');
      registry = await startKerfRegistry(join(world.folder, 'registry'));
      await writeFile(join(world.folder, 'registry.token'), await registry.token('bob'));
      const file = JSON.parse(await readFile(world.station, 'utf8')) as { updates: { registry: object } };
      file.updates.registry = { url: registry.url, tokenFile: 'registry.token', ca: registry.certificatePath };
      await writeFile(world.station, JSON.stringify(file));
      await asAnn('registry', 'push', '--repository', 'repository');
      for (const device of ['cam-1', 'cam-2']) {
        const { token: invitation } = await asAnn<{ token: string }>('devices', 'invite', '--group', 'lab');
        await asAnn('devices', 'enrol', device, '--invitation', invitation, '--out', `${device}.credential`);
      }
      running = await startInspect(world.folder);
    });
    afterAll(async () => {
      if (running !== undefined) await stopInspect(running);
      await registry?.stop();
      await browser.close();
      await world?.remove();
    });

    test('looks, fetches by a delta, stops and goes on, tries on known parts, runs it, and goes back: no part is lost', async () => {
      const { page, faults } = await open();
      fed.push(...(await world.feed(4)));
      await page.getByText('Not looked yet.').waitFor();
      await look(page);
      await page.getByText('Fewer false alarms on brushed steel').waitFor();
      const card = page.locator('.releases li').first();
      expect(await card.textContent()).toMatch(/[\d.]+ MB to fetch of [\d.]+ MB, \d+%.*2 golden samples/);
      const running = page.locator('.releases li').nth(1);
      expect(await running.textContent()).toMatch(/runs.*[\d.]+ MB, all of it on this device · 2 golden samples/);

      await pressTab(page, page.getByRole('button', { name: 'Fetch 1.1' }));
      await soon(async () => (await page.locator('progress').getAttribute('value')) ?? '0').not.toBe('0');
      // Above what was pressed, so that the way back leads there.
      await pressTab(page, page.getByRole('button', { name: 'Stop' }), 'Shift+Tab');
      await page.getByText('It was stopped. What was fetched is kept').waitFor();
      expect(await hasKeyboard(page)).toBe(true);
      await pressTab(page, page.getByRole('button', { name: 'Fetch 1.1' }));
      await page.getByRole('heading', { name: 'Ready to run: version 1.1' }).waitFor({ timeout: 60_000 });
      expect(await page.locator('.staged').textContent()).toMatch(/2 right on onnxruntime-node\/cpu/);
      expect((await deviceState()).active.version).toBe('1.0');

      await pressTab(page, page.getByRole('button', { name: 'Try on known parts' }));
      await page.getByText(/known parts (get the verdict|would get another verdict)/).waitFor({ timeout: 60_000 });
      expect(await page.locator('.canary table').first().locator('tbody tr').count()).toBe(2);

      await keepLooks(page, 'updates', true);
      const stop = new AbortController();
      const feeding = world.feedUntil(stop.signal, 100, fed);
      await doAs(page, 'Run 1.1', 'tried on the known parts');
      await page.getByText('Version 1.1 runs.').waitFor({ timeout: 60_000 });
      await page.getByText('On probation: started 0 times').waitFor();
      await soon(() => deviceState()).toMatchObject({ active: { version: '1.1' }, trialStarts: 0 });
      await doAs(page, 'Confirm', 'an hour without a complaint');
      await page.getByText('On probation: started').waitFor({ state: 'detached' });
      expect(await deviceState()).toMatchObject({ trialStarts: null });
      await doAs(page, 'Roll back', 'two escapes');
      await page.getByText('Version 1.0 runs again.').waitFor({ timeout: 60_000 });
      await soon(() => deviceState()).toMatchObject({ active: { version: '1.0' } });
      stop.abort();
      await feeding;

      await soon(async () => (await results()).length, { timeout: 150_000 }).toBe(fed.length);
      expect(new Set((await results()).map(({ partId }) => partId))).toEqual(new Set(fed));
      const history = await page.locator('.history-list').textContent();
      for (const said of [
        'Switched to 1.1',
        'engineer: tried on the known parts',
        'Confirmed 1.1',
        'Went back to 1.0',
      ]) {
        expect(history).toContain(said);
      }
      // What was left says so, and is not taken by itself.
      await look(page);
      await page.locator('.fault', { hasText: 'Failed here before' }).getByText('engineer: two escapes').waitFor();
      await page.getByRole('heading', { name: 'Left here before: version 1.1' }).waitFor();
      await page.locator('.fault', { hasText: 'It does not run because' }).getByText('engineer: two escapes').waitFor();
      await page.getByRole('button', { name: 'Run 1.1 all the same' }).waitFor();
      expect(await page.getByRole('heading', { name: /Ready to run/ }).count()).toBe(0);
      await page.close();
      expect(faults).toEqual([]);
    }, 300_000);

    test('a stick takes the place of the network, by keyboard alone; a dead source says what to do', async () => {
      await cp(join(world.folder, 'repository'), join(world.folder, 'stick'), { recursive: true });
      await rename(join(world.folder, 'repository'), join(world.folder, 'away'));
      const { page, faults } = await open({ language: 'zh' });
      const look = page.getByRole('button', { name: '查找版本' });
      await look.focus();
      await page.keyboard.press('Enter');
      await page.getByText('来源没有响应').waitFor();
      await page.getByLabel('工位上的 U 盘或文件夹').focus();
      await page.keyboard.type(join(world.folder, 'stick'));
      await page.keyboard.press('Enter');
      await page.getByText(/中查找。$/).waitFor();
      const fetch = page.getByRole('button', { name: '下载 1.1' });
      await fetch.focus();
      await page.keyboard.press('Enter');
      // What was gone back from still lies in its slot: it is ready, and is checked anew.
      await page.getByText('版本 1.1 已下载并检查。').waitFor({ timeout: 60_000 });
      // The stick is taken out again.
      await rename(join(world.folder, 'stick'), join(world.folder, 'drawer'));
      await page.getByRole('button', { name: '仍要运行 1.1' }).focus();
      await page.keyboard.press('Enter');
      await page.locator('.action-form input:focus').waitFor();
      await page.keyboard.type('U 盘');
      await page.keyboard.press('Enter');
      await page.getByText('版本 1.1 正在运行。').waitFor({ timeout: 60_000 });
      expect((await deviceState()).active.version).toBe('1.1');
      await rename(join(world.folder, 'away'), join(world.folder, 'repository'));
      await page.getByRole('button', { name: '退回' }).focus();
      await page.keyboard.press('Enter');
      await page.locator('.action-form input:focus').waitFor();
      await page.keyboard.press('Enter');
      await page.getByText('版本 1.0 重新运行。').waitFor({ timeout: 60_000 });
      await page.close();
      expect(faults).toEqual([]);
    });

    test.skipIf(process.platform !== 'linux')(
      'a release that takes its trial down is left alone; the line goes on meanwhile',
      async () => {
        await writeFile(join(world.folder, 'endless.onnx'), meanModel(FOREVER));
        const place = ['--to', 'repository', '--name', 'surface', '--version', '1.2', '--keys', 'keys'];
        jsonOf(await world.kerf('publish', 'endless.onnx', ...place, '--golden', '0', '--json'));
        const { page, faults } = await open();
        await look(page);
        await page.getByRole('button', { name: 'Fetch 1.2' }).click();
        await page.getByRole('heading', { name: 'Ready to run: version 1.2' }).waitFor({ timeout: 60_000 });
        // The station starts other programs too, which come and go.
        const trials = (): number[] => childrenOf(running.child.pid as number).filter(isTrial);
        expect(trials()).toEqual([]);
        await page.getByRole('button', { name: 'Try on known parts' }).click();
        // One for each release; the second hangs in its model.
        await soon(() => trials().length).toBe(2);
        fed.push(...(await world.feed(3)));
        await soon(async () => (await results()).length).toBe(fed.length);
        process.kill(trials()[1] as number, 'SIGSEGV');
        await page.getByRole('heading', { name: 'Left here before: version 1.2' }).waitFor();
        const left = page.locator('.staged');
        await left
          .getByText(/In the trial on known parts (it did not get through|its model could not be loaded)/)
          .waitFor();
        await left
          .locator('.fault-detail', { hasText: /the process that tried the release was ended by SIGSEGV/ })
          .waitFor();
        await soon(trials).toEqual([]);
        fed.push(...(await world.feed(3)));
        await soon(async () => (await results()).length).toBe(fed.length);
        expect(await page.locator('.history-list').textContent()).toContain('Refused 1.2');
        await page.close();
        expect(faults).toEqual([]);
      },
    );

    test('off switch, pin and maintenance window hold, here and for kerf update', async () => {
      const { page, faults } = await open();
      await page.getByLabel('Looks and fetches by itself').uncheck();
      await page.getByLabel('Held at version').selectOption('1.0');
      await page.getByLabel('Maintenance window').fill('noon');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('That cannot be used.').waitFor();
      // A window that is over: an hour that begins twelve hours from now.
      const hour = (new Date().getHours() + 12) % 24;
      const window = `${String(hour).padStart(2, '0')}:00-${String(hour).padStart(2, '0')}:59`;
      await page.getByLabel('Maintenance window').fill(window);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Off: nothing is looked for').waitFor();
      await soon(async () =>
        JSON.parse(await readFile(join(world.folder, 'device/device.json'), 'utf8')),
      ).toMatchObject({
        automatic: false,
        pinned: '1.0',
        window,
      });
      await look(page);
      await page.getByRole('button', { name: 'Fetch 1.1' }).click();
      await page.getByText('pinned to 1.0').waitFor();
      await page.getByLabel('Held at version').selectOption('the newest');
      await page.getByRole('button', { name: 'Save' }).click();
      await soon(() => page.getByLabel('Held at version').inputValue()).toBe('');
      await page.getByRole('button', { name: 'Fetch 1.1' }).click();
      await page.getByText('Version 1.1 is fetched and checked.').waitFor({ timeout: 60_000 });
      await doAs(page, 'Run 1.1 all the same', 'tonight');
      const waits = page.getByText(`Version 1.1 waits for the maintenance window ${window}`);
      await waits.waitFor({ timeout: 60_000 });
      await pressTab(page, page.getByRole('button', { name: 'Do not run it then' }));
      await waits.waitFor({ state: 'detached' });
      await doAs(page, 'Run 1.1 all the same', 'tonight');
      await waits.waitFor({ timeout: 60_000 });
      expect((await deviceState()).active.version).toBe('1.0');
      // The window opens; the station sees it within seconds.
      jsonOf(await world.kerf('update', 'set', '--device', 'device', '--window', 'none', '--json'));
      await soon(deviceState).toMatchObject({ active: { version: '1.1' } });
      await page.getByText('On probation: started').waitFor();
      await page.close();
      expect(faults).toEqual([]);
    });

    test('the fleet: a rollout is approved, paused, resumed, stopped and rolled back from the station', async () => {
      const stages = ['--stages', 'group:lab,rest', '--max-failed', '3', '--soak', '1h'];
      const { id } = await asAnn<{ id: string }>('rollout', 'start', '--release', 'surface@1.1', ...stages);
      const status = async (): Promise<string> => {
        const { state } = await asAnn<{ state: { status: string } }>('rollout', 'show', id);
        return state.status;
      };
      const { page, faults } = await open();
      await page.getByRole('button', { name: 'Fleet', exact: true }).click();
      const card = page.locator(`[data-rollout="${id}"]`);
      await card.getByText('waits for approval').waitFor();
      expect(await card.locator('tbody tr').first().textContent()).toMatch(/group:lab2/);
      expect(await card.textContent()).toMatch(/at 95%, after 1 hr.*at more than 3 failures/);
      await page.getByText('0 of 2 in touch').waitFor();
      await keepLooks(page, 'fleet', true);
      for (const [name, becomes] of [
        ['Approve', /^(scheduled|running)$/],
        ['Pause', /^paused$/],
        ['Resume', /^(scheduled|running)$/],
        ['Stop', /^stopped$/],
        ['Roll back', /^(rolling-back|rolled-back)$/],
      ] as const) {
        await card.getByRole('button', { name, exact: true }).click();
        await page.getByLabel('Why (for the history)').fill('seen from line 7');
        await page.getByRole('button', { name: `${name} – Yes, do it` }).click();
        await soon(status).toMatch(becomes);
        await soon(() => card.getAttribute('data-status')).toMatch(becomes);
      }
      // Nobody is in its first stage, which is done at once: the registry pauses it by itself.
      const held = ['--release', 'surface@1.1', '--stages', 'group:none,rest', '--pause-after'];
      const { id: pausing } = await asAnn<{ id: string }>('rollout', 'start', ...held);
      const second = page.locator(`[data-rollout="${pausing}"]`);
      await page.getByRole('button', { name: 'Look again' }).click();
      await second.getByRole('button', { name: 'Approve', exact: true }).click();
      await page.getByLabel('Why (for the history)').fill('seen from line 7');
      await page.getByRole('button', { name: 'Approve – Yes, do it' }).click();
      await soon(async () => {
        await page.getByRole('button', { name: 'Look again' }).click();
        return await second.textContent();
      }).toContain('Stage 1 is done. Somebody has to let the next one begin.');
      const { entries } = await asAnn<{ entries: number }>('audit', 'verify');
      expect(entries).toBeGreaterThan(5);
      // The token never reached the page.
      expect(await page.content()).not.toContain((await readFile(join(world.folder, 'registry.token'), 'utf8')).trim());
      await registry.kill();
      await page.getByText('The registry does not answer.').waitFor();
      await page.close();
      expect(faults).toEqual([]);
    });

    test('health: self-test, link, the log of changes and a bundle without secrets', async () => {
      const { page, faults } = await open();
      await show(page, 'Health');
      await pressTab(page, page.getByRole('button', { name: 'Run the self-test' }));
      await pressTab(page, page.getByRole('button', { name: 'Stop' }), 'Shift+Tab');
      await page.getByText('It was stopped.').waitFor();
      expect(await hasKeyboard(page)).toBe(true);
      await pressTab(page, page.getByRole('button', { name: 'Run the self-test' }));
      await page.getByText('The answers are equal bit for bit.').waitFor({ timeout: 60_000 });
      await pressTab(page, page.getByRole('button', { name: 'Test the link' }));
      await page.getByText('this station asks no cloud').waitFor();
      const audit = page.locator('.audit');
      await audit.getByText(/Every entry covers the one before it: \d+ entries/).waitFor();
      expect(await audit.textContent()).toContain('ran another release');
      expect(await audit.textContent()).toContain('tried on the known parts');
      // Values have names; nothing is shown as the log has it.
      expect(await audit.textContent()).not.toContain('{"');
      await keepLooks(page, 'health', true);
      const log = join(world.folder, 'line-7.audit.jsonl');
      await writeFile(log, (await readFile(log, 'utf8')).replace('two escapes', 'no reason'));
      await pressTab(page, page.getByRole('button', { name: 'Verify again' }));
      await audit.getByText(/The log was changed at entry \d+/).waitFor();

      await pressTab(page, page.getByRole('button', { name: 'Prepare' }));
      const preview = page.locator('.bundle pre');
      await preview.waitFor();
      const shown = JSON.parse((await preview.textContent()) ?? '') as { format: string; records: unknown[] };
      expect(shown).toMatchObject({ format: 'kerf-diagnostics/1', station: 'line-7' });
      expect(shown.records.length).toBeGreaterThan(3);
      const coming = page.waitForEvent('download');
      await pressTab(page, page.getByRole('button', { name: /^Save kerf-line-7-/ }));
      const saved = await (await coming).path();
      expect(JSON.parse(await readFile(saved, 'utf8'))).toEqual(shown);
      await page.close();
      expect(faults).toEqual([]);
    });

    test.each(SCREEN_LOOKS)(
      '%s, %s, %i pixels: usable, with a form open too',
      async (language, theme, width, height, gloves) => {
        const { page, faults } = await open({ language, theme, gloves }, { width, height });
        await page.locator('.updates-columns').waitFor();
        await page.locator('.updates-side .panel button:not([disabled])').first().click();
        await page.locator('.action-form').waitFor();
        await checkScreen(page, 'updates', gloves);
        await page.keyboard.press('Escape');
        await page.locator('.action-form').waitFor({ state: 'detached' });
        await page.locator('.screen-head .toolbar button').nth(1).click();
        await page.locator('.updates .fault').waitFor();
        await checkScreen(page, 'fleet', gloves);
        await show(page, 'Health');
        await page.locator('.audit table').waitFor();
        await checkScreen(page, 'health', gloves);
        await keepPicture(page, `health-${language}-${theme}-${width}`);
        if (theme === 'contrast') {
          await page.setViewportSize({ width: 1024, height: 768 });
          await page.evaluate(() => scrollTo(0, 0));
          await keepPicture(page, 'health-zh-contrast');
        }
        await page.close();
        expect(faults).toEqual([]);
      },
    );

    test('a viewer sees everything and changes nothing; a station without a device says how to get one', async () => {
      await stopInspect(running);
      running = await startInspect(world.folder, '--role', 'viewer');
      const viewer = await open();
      await viewer.page.getByText('Changing releases needs the role Engineer; this link has Viewer.').waitFor();
      expect(await viewer.page.getByRole('button', { name: /Fetch|Run|Roll back|Confirm|Save|Look/ }).count()).toBe(0);
      await viewer.page.close();
      await stopInspect(running);
      const file = JSON.parse(await readFile(world.station, 'utf8')) as Record<string, unknown>;
      const plain = { ...file, model: { path: modelFile('surface-v1') }, updates: undefined };
      await writeFile(world.station, JSON.stringify(plain));
      running = await startInspect(world.folder);
      const { page } = await open();
      await page.getByText('kerf update init makes one').waitFor();
      await page.getByRole('button', { name: 'Fleet', exact: true }).click();
      await page.getByText('The station file names no registry').waitFor();
      await page.close();
    });
  },
);
