// `kerf inspect` as a process, its page in a real Chromium, and what holds for every screen.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright';
import { expect } from 'vitest';

const KERF = fileURLToPath(new URL('../../../packages/cli/bin/kerf.js', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** A machine that is busy with other tests takes its time. */
export const soon: typeof expect.poll = (ask, options) => expect.poll(ask, { timeout: 30_000, ...options });

export interface Inspecting {
  readonly child: ChildProcess;
  readonly url: string;
}

/** Runs the station of `line.yaml` in `folder`. */
export function startInspect(folder: string, ...args: string[]): Promise<Inspecting> {
  return runInspect(folder, 'line.yaml', ...args);
}

export async function runInspect(folder: string, ...args: string[]): Promise<Inspecting> {
  const child = spawn(process.execPath, [KERF, 'inspect', '--json', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const event = JSON.parse(line) as { event: string; url?: string };
    if (event.event === 'listening' && event.url !== undefined) return { child, url: event.url };
  }
  throw new Error('kerf inspect ended before it listened');
}

export async function stopInspect({ child }: Inspecting): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** How many canvases show a picture. */
export function drawn(page: Page, selector: string): Promise<number> {
  return page.locator(`${selector}[data-drawn="true"]`).count();
}

/** Whether something of the page has the keyboard: what was pressed, or the place where it stood. */
export function hasKeyboard(page: Page): Promise<boolean> {
  return page.evaluate(() => document.activeElement !== document.body && document.activeElement !== null);
}

/** More than any screen has to stop at. */
const MOST_STOPS = 400;

/** Goes there as somebody without a mouse does. Fails where Tab does not lead there. */
export async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await soon(() => target.isEnabled()).toBe(true);
  for (let stops = 0; !(await target.evaluate((it) => it === document.activeElement)); stops++) {
    if (stops === MOST_STOPS) throw new Error(`${key} does not lead to ${target.toString()}`);
    await page.keyboard.press(key);
  }
}

/** Goes there by Tab, and presses Enter. */
export async function pressTab(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await tabTo(page, target, key);
  await page.keyboard.press('Enter');
}

/** Keeps a picture of the page where somebody has asked for them. */
export async function keepPicture(page: Page, name: string, fullPage = false): Promise<void> {
  const folder = process.env['KERF_SCREENSHOTS'];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage });
}

/** The same screen, as it stands there, in both languages by day and by night; English by day is what it ends in. */
export async function keepLooks(page: Page, name: string, fullPage = false): Promise<void> {
  if (process.env['KERF_SCREENSHOTS'] === undefined) return;
  for (const [language, theme] of [
    ['zh', 'dark'],
    ['zh', 'light'],
    ['en', 'dark'],
    ['en', 'light'],
  ] as const) {
    await wear(page, language, theme);
    await keepPicture(page, `${name}-${language}-${theme}`, fullPage);
  }
}

/** Language and theme, as somebody chooses them by the display settings. */
async function wear(page: Page, language: 'en' | 'zh', theme: 'light' | 'dark' | 'contrast'): Promise<void> {
  await page.keyboard.press('?');
  const chosen = page.getByRole('dialog').locator('select');
  await chosen.first().selectOption(language);
  await chosen.last().selectOption(theme);
  await page.keyboard.press('Escape');
  await page.evaluate(() => scrollTo(0, 0));
}

/** Language, theme, size and gloves in which a screen has to be fit for use. */
export const SCREEN_LOOKS = [
  ['en', 'light', 1280, 800, false],
  ['zh', 'dark', 1024, 768, true],
  ['zh', 'contrast', 400, 800, false],
  ['en', 'dark', 1920, 1080, true],
] as const;

export interface OpenPage {
  readonly page: Page;
  /** What the page complained of, and what it fetched from elsewhere. */
  readonly faults: string[];
}

export interface PageSize {
  readonly width?: number;
  readonly height?: number;
  /** A finger instead of a mouse. @default false */
  readonly hasTouch?: boolean;
}

export async function openPage(
  browser: Browser,
  url: string,
  settings: Record<string, unknown> = {},
  { width = 1280, height = 800, hasTouch = false }: PageSize = {},
  before: (page: Page) => Promise<void> = async () => {},
): Promise<OpenPage> {
  const page = await browser.newPage({ viewport: { width, height }, hasTouch });
  const faults: string[] = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    const isOwn = request.url().startsWith(new URL(url).origin) || request.url().startsWith('blob:');
    if (!isOwn) faults.push(`fetched ${request.url()}`);
  });
  const kept = JSON.stringify({ language: 'en', theme: 'light', ...settings });
  await page.addInitScript((text) => localStorage.setItem('kerf-inspector-settings', text), kept);
  await before(page);
  await page.goto(url);
  return { page, faults };
}

/** What holds for a page, and its current tab in sight. */
export async function checkScreen(page: Page, name: string, gloves = false): Promise<void> {
  await checkPage(page, name, gloves);
  expect(await tabInSight(page), `current tab of ${name}`).toBe(true);
}

/**
 * Nothing serious for axe, nothing wider than the window, no target smaller than a finger (a glove) needs, no word broken in
 * two, no choice cut off.
 */
export async function checkPage(page: Page, name: string, gloves = false): Promise<void> {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations: found } = await axe.run();
    return found.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html}`);
  });
  expect(
    violations.filter((text) => /^(serious|critical)/.test(text)),
    name,
  ).toEqual([]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide, `width of ${name}`).toBeLessThanOrEqual(page.viewportSize()?.width ?? 0);
  expect(await smallTargets(page, gloves ? 64 : 48), `targets of ${name}`).toEqual([]);
  expect(await brokenWords(page), `words of ${name}`).toEqual([]);
  expect(await cutChoices(page), `choices of ${name}`).toEqual([]);
}

/** Words of a language that stand in two lines; what is longer than any word may. */
function brokenWords(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    const broken: string[] = [];
    for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
      for (const { 0: word, index } of (text.textContent ?? '').matchAll(/[A-Za-z]{2,24}/g)) {
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        const tops = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
        if (tops.size > 1) broken.push(`${word} in ${text.textContent}`);
      }
    }
    return broken;
  });
}

/** Lists whose chosen entry is wider than they are: a browser cuts it without a sign. */
function cutChoices(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const pen = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D;
    const ARROW_PX = 20;
    return [...document.querySelectorAll('select')].flatMap((select) => {
      const style = getComputedStyle(select);
      pen.font = style.font;
      const text = select.selectedOptions[0]?.text ?? '';
      const room =
        select.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight) - ARROW_PX;
      const { width } = pen.measureText(text);
      return select.clientWidth > 0 && width > room ? [`${text}: ${Math.round(width)} of ${Math.round(room)}`] : [];
    });
  });
}

/** What can be touched and is smaller than `least` CSS pixels in either direction. A check box is as large as its label. */
export async function smallTargets(page: Page, least: number): Promise<string[]> {
  return page.evaluate((leastPx) => {
    const selector = 'button, a[href]:not(.skip), select, input, summary, [role=slider]';
    const sized = [...document.querySelectorAll(selector)].map((each) => {
      const target = each.matches('[type=checkbox], [type=radio]') ? (each.closest('label') ?? each) : each;
      const { width, height } = target.getBoundingClientRect();
      return { width, height, html: `${Math.round(width)}x${Math.round(height)} ${target.outerHTML.slice(0, 120)}` };
    });
    return sized
      .filter(({ width, height }) => height > 0 && Math.min(width, height) < leastPx - 0.5)
      .map(({ html }) => html);
  }, least);
}

/** Whether the tab of the current screen is in sight, whole. */
function tabInSight(page: Page): Promise<boolean> {
  return page.locator('nav a[aria-current=page]').evaluate((tab) => {
    const [own, strip] = [tab.getBoundingClientRect(), (tab.parentElement as Element).getBoundingClientRect()];
    return own.left >= strip.left - 1 && own.right <= Math.min(strip.right, innerWidth) + 1;
  });
}
