// A station on a folder that parts are put into, served by `kerf inspect`, and what holds for the look of any of its screens.
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePng } from '@kerf/edge-runtime/node';
import { datasetParts, modelFile } from '@kerf/models';
import type { Browser } from 'playwright';
import { expect, test } from 'vitest';
import {
  checkScreen,
  drawn,
  type Inspecting,
  keepPicture,
  type OpenPage,
  openPage,
  type PageSize,
  soon,
  startInspect,
  stopInspect,
} from './inspecting.ts';

export interface LineOptions {
  /** Of the station. */
  readonly name: string;
  /** @default surface-v1 */
  readonly model?: string;
  /** Lines of the station file. */
  readonly more?: readonly string[];
  /** What lies beside it. */
  readonly files?: Readonly<Record<string, string>>;
  /** Different parts that go round. @default 6 */
  readonly parts?: number;
}

export class InspectedLine {
  readonly folder: string;
  private readonly browser: Browser;
  private readonly options: LineOptions;
  private readonly parts: string[] = [];
  private running: Inspecting | null = null;
  private fed = 0;

  /** Its station runs. */
  static async open(browser: Browser, options: LineOptions): Promise<InspectedLine> {
    const line = new InspectedLine(browser, options, await mkdtemp(join(tmpdir(), 'kerf-line-')));
    await mkdir(join(line.folder, 'in'));
    for await (const { picture } of datasetParts({ split: 'demo', count: options.parts ?? 6 })) {
      const path = join(line.folder, `part-${line.parts.length}.png`);
      await writeFile(path, await encodePng(picture.image));
      line.parts.push(path);
    }
    for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(line.folder, name), text);
    await line.configure(options);
    await line.restart();
    return line;
  }

  private constructor(browser: Browser, options: LineOptions, folder: string) {
    this.browser = browser;
    this.options = options;
    this.folder = folder;
  }

  get inspecting(): Inspecting {
    if (this.running === null) throw new Error('the line does not run');
    return this.running;
  }

  /** Holds from the next start on. */
  configure(options: Omit<LineOptions, 'name' | 'parts'>): Promise<void> {
    return this.writeStation('line.yaml', 'in', { ...options, name: this.options.name });
  }

  /** Starts anew with a second line beside it, which takes parts from `in-NAME`. */
  async addLine(name: string): Promise<void> {
    await mkdir(join(this.folder, `in-${name}`));
    await this.writeStation(`${name}.yaml`, `in-${name}`, { name });
    await this.restart(`${name}.yaml`);
  }

  private async writeStation(
    file: string,
    source: string,
    { name, model = 'surface-v1', more = [] }: LineOptions,
  ): Promise<void> {
    const station = [
      '# the line of this test',
      'format: kerf-station/1',
      `station: ${name}`,
      `source: { kind: folder, path: ${source}, partId: "(P-[0-9]+)", whenRead: delete }`,
      `model: { path: ${JSON.stringify(modelFile(model))} }`,
      'task: { kind: anomaly }',
      'deadline: 20 s',
      'sinks:',
      `  - { kind: json-lines, path: ${source === 'in' ? '' : `${name}-`}results.jsonl }`,
      ...more,
    ];
    await writeFile(join(this.folder, file), `${station.join('\n')}\n`);
  }

  async restart(...args: string[]): Promise<void> {
    if (this.running !== null) await stopInspect(this.running);
    this.running = await startInspect(this.folder, ...args);
  }

  /** Hands parts to the line as a camera's folder gets them: whole, under their names at once. */
  async feed(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn++) {
      const from = this.parts[this.fed % this.parts.length] as string;
      await copyFile(from, join(this.folder, 'in/.part'));
      await rename(join(this.folder, 'in/.part'), join(this.folder, `in/P-${String(this.fed++).padStart(6, '0')}.png`));
    }
  }

  /** Records that the line has written. */
  async results(): Promise<{ verdict: string; score: number; partId: string }[]> {
    const text = await readFile(join(this.folder, 'results.jsonl'), 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { verdict: string; score: number; partId: string });
  }

  page(settings: Record<string, unknown> = {}, size?: PageSize): Promise<OpenPage> {
    return openPage(this.browser, this.inspecting.url, settings, size);
  }

  async close(): Promise<void> {
    if (this.running !== null) await stopInspect(this.running);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Language, theme, size and gloves that every screen is looked at in. */
const LOOKS = [
  ['en', 'light', 1024, 768, false],
  ['zh', 'dark', 1920, 1080, true],
  ['zh', 'contrast', 400, 800, false],
] as const;

/** A screen in every look, once as many pictures are drawn as `canvases` matches; it is kept as a picture by its `name`. */
export function testLooks(
  line: () => InspectedLine,
  { screen, name = screen, canvases, count }: Record<'screen' | 'canvases', string> & { name?: string; count: number },
): void {
  test.each(LOOKS)('%s, %s, %i pixels wide: fit for use', async (language, theme, width, height, gloves) => {
    const { page, faults } = await line().page({ language, theme, gloves }, { width, height });
    await page.locator(`nav a[href="#${screen}"]`).click();
    await soon(() => drawn(page, canvases)).toBe(count);
    await checkScreen(page, screen, gloves);
    await keepPicture(page, `${name}-${language}-${theme}-${width}`);
    await page.close();
    expect(faults).toEqual([]);
  });
}
