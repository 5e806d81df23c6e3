// The Cut screen in a real Chromium: a whole model with a profile, a chain with a real cloud, a split without its model.
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodePng } from '@kerf/edge-runtime/node';
import { datasetParts, modelFile } from '@kerf/models';
import { openModelFile } from '@kerf/onnx/node';
import type { Browser, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startChromium } from '../support/chromium.ts';
import { startServe } from '../support/kerf-serve.ts';
import {
  checkScreen,
  type Inspecting,
  keepLooks,
  keepPicture,
  openPage,
  pressTab,
  SCREEN_LOOKS,
  soon,
  startInspect,
  stopInspect,
  tabTo,
} from './support/inspecting.ts';
import { runKerf } from './support/run-kerf.ts';

const PROFILE = fileURLToPath(new URL('../../apps/inspector/demo/surface-v1.profile.json', import.meta.url));
/** Where the reference model can be cut in a chain. */
const CUTS = ['/stem/stem.0/stem.0.2/Relu_output_0', '/quarter/quarter.0/quarter.0.2/Relu_output_0'];

const started = await startChromium();

describe.skipIf(started.browser === null)(`the Cut screen${started.reason ? ` (${started.reason})` : ''}`, () => {
  const browser = started.browser as Browser;
  let folder = '';
  const parts: string[] = [];
  let fed = 0;
  const ends: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-cut-screen-'));
    for await (const { picture } of datasetParts({ split: 'demo', count: 4 })) {
      const path = join(folder, `part-${parts.length}.png`);
      await writeFile(path, await encodePng(picture.image));
      parts.push(path);
    }
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A station in a folder of its own, served by kerf inspect. */
  async function serve(
    name: string,
    more: string[],
    ...args: string[]
  ): Promise<Inspecting & { readonly home: string }> {
    const home = join(folder, name);
    await mkdir(join(home, 'in'), { recursive: true });
    const lines = [
      '# this line',
      'format: kerf-station/1',
      `station: ${name}`,
      'source: { kind: folder, path: in, partId: "(P-[0-9]+)", settle: 0 ms }',
      'task: { kind: anomaly }',
      'deadline: 20 s',
      'sinks: [{ kind: json-lines, path: results.jsonl }]',
      ...more,
    ];
    await writeFile(join(home, 'line.yaml'), `${lines.join('\n')}\n`);
    const running = await startInspect(home, ...args);
    ends.push(() => stopInspect(running));
    return { ...running, home };
  }

  async function feed(home: string, count = 1): Promise<void> {
    for (let turn = 0; turn < count; turn++) {
      // One that equals the one before it would be a frozen camera's.
      await copyFile(parts[fed % parts.length] as string, join(home, 'in/.part'));
      await rename(join(home, 'in/.part'), join(home, `in/P-${String(fed++).padStart(6, '0')}.png`));
    }
  }

  async function open(running: Inspecting, settings: Record<string, unknown> = {}, width = 1280, height = 800) {
    const opened = await openPage(browser, running.url, settings, { width, height });
    ends.push(() => opened.page.close());
    await opened.page.getByRole('link', { name: /Cut|切分/ }).click();
    return opened;
  }

  const handle = (page: Page) => page.getByRole('slider', { name: 'Cut line' });
  const valueOf = (page: Page) => handle(page).getAttribute('aria-valuetext');
  const count = async (page: Page): Promise<number> => Number(await handle(page).getAttribute('aria-valuemax'));

  test('whole model: what if, every cut, the line by keys and by pointer, search, folding, measured beside predicted', async () => {
    await mkdir(join(folder, 'whole'));
    await copyFile(PROFILE, join(folder, 'whole/surface-v1.profile.json'));
    const running = await serve('whole', [`model: { path: ${JSON.stringify(modelFile('surface-v1'))} }`]);
    const { page, faults } = await open(running);
    await page.getByRole('heading', { name: 'Why this cut' }).waitFor();
    expect(await page.locator('.cut-verdict').textContent()).toContain('Do not cut: all on this device');
    expect(await count(page)).toBeGreaterThan(50);

    await tabTo(page, handle(page));
    await page.keyboard.press('Home');
    await soon(() => valueOf(page)).toContain('all in the cloud');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const second = await valueOf(page);
    expect(second).toContain('behind');
    await page.locator('.graph-frame[aria-busy="false"] canvas').waitFor();
    await keepLooks(page, 'cut');
    await handle(page).focus();
    await soon(() => page.locator('.cut-rows button[aria-current=true]').textContent()).toContain(
      (second ?? '').split('behind ')[1]?.split(':')[0] ?? '?',
    );
    await page.getByText('No button can do that here').waitFor();
    expect(await page.locator('.cut-steps').textContent()).toContain('kerf chain surface-v1.onnx --at');
    await page.keyboard.press('End');
    await page.getByText('The station runs so already.').waitFor();

    // A slow device, a fast network: the planner says something else, and says what would change it.
    for (const [name, key] of [
      ['Uplink', 'End'],
      ['Round trip', 'Home'],
      ['This device’s speed', 'Home'],
    ] as const) {
      await tabTo(page, page.getByRole('slider', { name }));
      await page.keyboard.press(key);
    }
    await soon(() => page.locator('.cut-verdict').textContent()).not.toContain('all on this device');
    expect(await page.locator('.cut-reasons').textContent()).toMatch(/With an uplink below .*all on this device|below/);

    // The pointer takes hold of the line, and of the nearest cut.
    await page.getByRole('button', { name: 'Fit' }).click();
    await handle(page).focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    const before = await valueOf(page);
    const box = await handle(page).boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(48);
    await page.mouse.move((box?.x ?? 0) + 20, (box?.y ?? 0) + 20);
    await page.mouse.down();
    await page.mouse.move((box?.x ?? 0) + 20, (box?.y ?? 0) + 220, { steps: 6 });
    await page.mouse.up();
    expect(await valueOf(page)).not.toBe(before);

    await page.getByLabel('Find nodes').fill('resize');
    const found = Number.parseInt((await page.locator('.cut-search [role=status]').textContent()) ?? '', 10);
    const { graph } = await openModelFile(modelFile('surface-v1'));
    expect(found).toBe(graph.nodes.filter(({ record }) => record.opType === 'Resize').length);
    await page.locator('.cut-found button').first().click();
    await soon(() => page.locator('.cut-node dd').first().textContent()).toBe('Resize');
    await page
      .getByRole('button', { name: /Unfold/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'Fold all repeated blocks' }).waitFor();

    await feed(running.home, 3);
    await page.locator('.cut-rivals button').filter({ hasText: 'all on this device' }).click();
    await soon(() => page.locator('.cut-compare').textContent()).toMatch(/Measured here\d+.* ms.*last 3 parts/);
    expect(faults).toEqual([]);
  });

  test('chain and cloud: the cut moves between two parts, stays after a restart, and somebody else is noticed', async () => {
    const made = await runKerf(
      ['chain', modelFile('surface-v1'), ...CUTS.flatMap((name) => ['--at', name]), '--out', 'clouds/surface'],
      { cwd: folder },
    );
    expect(made.status, made.stderr).toBe(0);
    const state = join(folder, 'state');
    const cloud = await startServe({ models: join(folder, 'clouds'), state, args: ['--no-auth'] });
    ends.push(() => cloud.stop());
    await writeFile(join(folder, 'ca.pem'), cloud.ca);
    await mkdir(join(folder, 'chain'), { recursive: true });
    await copyFile(PROFILE, join(folder, 'chain/surface-v1.profile.json'));
    const running = await serve('chain', [
      `model: { path: ../clouds/surface, source: ${JSON.stringify(modelFile('surface-v1'))} } # ours`,
      `cloud: { url: ${JSON.stringify(cloud.url)}, model: surface, ca: ../ca.pem }`,
    ]);
    const first = await open(running);
    const second = await open(running);
    const { page } = first;
    for (const each of [page, second.page]) await each.getByText('The station chooses the cut').waitFor();
    await feed(running.home, 2);
    const lines = async () =>
      (await readFile(join(running.home, 'results.jsonl'), 'utf8').catch(() => ''))
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { route: string; verdict: string; score: number });
    await soon(async () => (await lines()).length).toBe(2);

    const inChain = page.locator('.cut-rows button').filter({ hasText: 'in the chain' });
    await handle(page).focus();
    await page.keyboard.press('Home');
    await soon(() => inChain.count()).toBeGreaterThan(1);
    await pressTab(page, inChain.nth(1));
    await pressTab(page, page.getByRole('button', { name: 'Run every part so' }));
    await page.getByText('From the next part on').waitFor();
    const text = await readFile(join(running.home, 'line.yaml'), 'utf8');
    expect(text).toContain('# this line');
    expect((parse(text) as { model: { route: string } }).model.route).toBe('cut-1');
    // Frames of the route fall back to the device only until its session is there.
    await soon(
      async () => {
        await feed(running.home);
        return (await lines()).at(-1)?.route;
      },
      { interval: 1_000 },
    ).toBe('cut-1');
    await page.getByText('set by hand').first().waitFor();
    const all = await lines();
    expect(all.every(({ verdict }) => /^(PASS|REVIEW|NG)$/.test(verdict))).toBe(true);
    await soon(() => page.locator('.cut-compare').textContent()).toMatch(/Measured here\d/);

    // The network as it was, at the moment that the keys choose.
    const network = page.getByRole('slider', { name: 'Uplink and round trip' });
    await tabTo(page, network);
    await page.keyboard.press('Home');
    await soon(() => network.getAttribute('aria-valuenow')).toBe('0');
    await page.keyboard.press('ArrowRight');
    await soon(() => network.getAttribute('aria-valuenow')).toBe('1');
    expect(await network.getAttribute('aria-valuetext')).toMatch(/^\d\d:\d\d:\d\d, .+, .+/);
    expect(await network.locator('canvas').count()).toBe(1);
    await keepLooks(page, 'cut-history', true);

    // The other page has not looked meanwhile only if it was told nothing; here it was.
    await second.page.getByText('somebody has set that').waitFor();
    await pressTab(second.page, second.page.getByRole('button', { name: 'Let the station choose' }));
    await page.getByText('The station chooses the cut').waitFor();
    expect(
      (parse(await readFile(join(running.home, 'line.yaml'), 'utf8')) as { model: object }).model,
    ).not.toHaveProperty('route');
    expect([...first.faults, ...second.faults]).toEqual([]);

    await page.getByRole('button', { name: 'Run every part so' }).click();
    await page.getByText('From the next part on').waitFor();
    await stopInspect(running);
    const again = await startInspect(running.home, '--role', 'viewer');
    ends.push(() => stopInspect(again));
    const viewer = await open(again);
    await viewer.page.getByText('somebody has set that').waitFor();
    await viewer.page.getByText('needs the role Engineer; this link has Viewer').waitFor();
    expect(await viewer.page.getByRole('button', { name: 'Run every part so' }).count()).toBe(0);
    expect(viewer.faults).toEqual([]);
  }, 300_000);

  test('a split without its model: the graph of its parts, and what is missing', async () => {
    const made = await runKerf(
      ['split', modelFile('surface-v1'), '--at', CUTS[0] as string, '--out', 'lonely/surface'],
      { cwd: folder },
    );
    expect(made.status, made.stderr).toBe(0);
    const running = await serve('parts', ['model: { path: ../lonely/surface }']);
    const { page, faults } = await open(running);
    await page.getByText('The whole model is not on this device').waitFor();
    expect(await page.locator('.graph-canvas').getAttribute('aria-label')).toMatch(/Graph of \d\d nodes/);
    expect(await page.getByRole('slider').count()).toBe(0);
    expect(faults).toEqual([]);
  });

  test('measures this device on demand; a measurement can be cancelled', async () => {
    const running = await serve('measured', [`model: { path: ${JSON.stringify(modelFile('surface-lite'))} }`]);
    const { page, faults } = await open(running);
    await page.getByText('not measured yet').waitFor();
    await pressTab(page, page.getByRole('button', { name: 'Measure this device' }));
    await pressTab(page, page.getByRole('button', { name: 'Cancel' }));
    await pressTab(page, page.getByRole('button', { name: 'Measure this device' }));
    await page.getByText('Why this cut').waitFor({ timeout: 90_000 });
    expect(JSON.parse(await readFile(join(running.home, 'surface-lite.profile.json'), 'utf8'))).toMatchObject({
      format: 'kerf-profile/1',
      model: { file: 'surface-lite.onnx' },
    });
    expect(faults).toEqual([]);
  });

  test.each(SCREEN_LOOKS)(
    '%s, %s, %i pixels: nothing serious for axe, nothing wider than the window, no small target',
    async (language, theme, width, height, gloves) => {
      await mkdir(join(folder, 'themes'), { recursive: true });
      await copyFile(PROFILE, join(folder, 'themes/surface-v1.profile.json'));
      const running = await serve('themes', [`model: { path: ${JSON.stringify(modelFile('surface-v1'))} }`]);
      const { page, faults } = await open(running, { language, theme, gloves }, width, height);
      await page.locator('.cut-rows button').first().waitFor();
      await page.getByRole('slider').first().focus();
      await page.keyboard.press('Home');
      await page.locator('.cut-search input').fill('conv');
      await page.waitForTimeout(300);
      await checkScreen(page, 'cut', gloves);
      await keepPicture(page, `cut-${language}-${theme}-${width}`);
      expect(faults).toEqual([]);
    },
  );
});
