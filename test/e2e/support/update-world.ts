// A publisher with two releases of the reference model, a device that runs the first, a station on it, and known parts.
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { datasetParts, encodePng, modelFile } from '@kerf/models';
import { jsonOf, type Ran, runKerf } from './run-kerf.ts';

export interface UpdateWorld {
  readonly folder: string;
  /** Path of the station file. */
  readonly station: string;
  kerf(...args: string[]): Promise<Ran>;
  publish(version: string, model: string, ...more: string[]): Promise<void>;
  /** Hands parts to the line, whole and under their names at once. @returns their ids */
  feed(count: number): Promise<string[]>;
  /** Hands one part after the other to the line, `intervalMs` apart and no faster than it takes them. @param ids gets theirs */
  feedUntil(stop: AbortSignal, intervalMs: number, ids: string[]): Promise<void>;
  remove(): Promise<void>;
}

const NAME = 'surface';
const KNOWN = 8;
/** Parts that may lie before the line: a machine that is slow would have hundreds of them before long. */
const MOST_WAITING = 4;

export interface WorldOptions {
  /** Of the station file. */
  readonly updates: object;
  /** Bytes per second that updates may take. @default as many as come */
  readonly maxRate?: number;
}

export async function openUpdateWorld({ updates, maxRate }: WorldOptions): Promise<UpdateWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-updates-'));
  const kerf = (...args: string[]): Promise<Ran> =>
    runKerf(args, { cwd: folder, env: { KERF_PASSPHRASE: 'correct horse' }, timeoutMs: 120_000 });
  const publish = async (version: string, model: string, ...more: string[]): Promise<void> => {
    const place = ['--to', 'repository', '--name', NAME, '--version', version, '--keys', 'keys'];
    jsonOf(await kerf('publish', modelFile(model), ...place, '--json', ...more));
  };
  for (const args of [
    ['init', '--keys', 'keys', '--root-keys', 'safe', '--repo', 'repository'],
    ['add', NAME, '--keys', 'keys'],
  ]) {
    const made = await kerf('keys', ...args);
    if (made.status !== 0) throw new Error(made.stderr);
  }
  await publish('1.0', 'surface-v1', '--notes', 'The first one');
  const root = join('repository', 'metadata', '1.root.json');
  const init = ['--device', 'device', '--name', NAME, '--root', root, '--mirror', join(folder, 'repository')];
  const rate = maxRate === undefined ? [] : ['--max-rate', String(maxRate)];
  jsonOf(await kerf('update', 'init', ...init, ...rate, '--json'));
  jsonOf(await kerf('update', 'apply', '--device', 'device', '--json'));
  const parts = await writeParts(folder);
  await mkdir(join(folder, 'in'));
  const station = join(folder, 'line.yaml');
  const file = {
    format: 'kerf-station/1',
    station: 'line-7',
    source: { kind: 'folder', path: 'in', partId: '(P-[0-9]+)', settle: '0 ms' },
    model: { path: 'device' },
    task: { kind: 'anomaly' },
    deadline: '20 s',
    updates,
    sinks: [{ kind: 'json-lines', path: 'results.jsonl' }],
  };
  await writeFile(station, JSON.stringify(file));
  let fed = 0;
  const removed = new AbortController();
  const feed = async (count: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let turn = 0; turn < count; turn++) {
      const id = `P-${String(fed).padStart(6, '0')}`;
      await copyFile(parts[fed++ % parts.length] as string, join(folder, 'in/.part'));
      await rename(join(folder, 'in/.part'), join(folder, `in/${id}.png`));
      ids.push(id);
    }
    return ids;
  };
  const waiting = async (): Promise<number> =>
    (await readdir(join(folder, 'in'))).filter((name) => name.endsWith('.png')).length;
  return {
    folder,
    station,
    kerf,
    publish,
    feed,
    async feedUntil(stop, intervalMs, ids) {
      while (!stop.aborted && !removed.signal.aborted) {
        if ((await waiting()) < MOST_WAITING) ids.push(...(await feed(1)));
        await new Promise((resolve) => setTimeout(resolve, intervalMs));
      }
    },
    remove() {
      removed.abort();
      return rm(folder, { recursive: true, force: true });
    },
  };
}

/** Known parts by what is true of them. */
async function writeParts(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { defect, picture } of datasetParts({ split: 'demo', count: KNOWN })) {
    const path = join(folder, 'known', defect ?? 'good', `${paths.length}.png`);
    await mkdir(dirname(path), { recursive: true });
    const { width, height, data } = picture.image;
    await writeFile(path, encodePng(width, height, 3, data));
    paths.push(path);
  }
  return paths;
}
