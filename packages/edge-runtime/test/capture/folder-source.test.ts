// A folder of real files, written, renamed, damaged and taken away under the source's eyes.
import { chmod, mkdir, mkdtemp, open, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Capture, type FolderConfig, folderShape, type ResultRecord } from '@kerf/edge-runtime';
import { folderSource } from '@kerf/edge-runtime/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CaptureListener, describeSource } from '../../../../test/conformance/source.ts';
import { pngOf, setupOf } from './support.ts';

function configOf(path: string, given: Record<string, unknown> = {}): FolderConfig {
  return folderShape.read({ path, settle: '0 ms', poll: '20 ms', ...given }, 'source');
}

/** As cameras' software does it: a whole file appears under its name. */
async function put(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  await writeFile(join(folder, `.${name}.part`), bytes);
  await rename(join(folder, `.${name}.part`), join(folder, name));
}

describeSource('folder', { neverDrops: true, vanishes: true }, async () => {
  const parent = await mkdtemp(join(tmpdir(), 'kerf-folder-'));
  const folder = join(parent, 'in');
  await mkdir(folder);
  return {
    open: (hasTrigger) => folderSource(configOf(folder), setupOf('folder', hasTrigger)),
    picture: async (number) => put(folder, `part-${number}.png`, await pngOf(number)),
    vanish: { away: () => rename(folder, join(parent, 'away')), back: () => rename(join(parent, 'away'), folder) },
    dispose: () => rm(parent, { recursive: true }),
  };
});

describe('folder source', () => {
  let folder: string;
  let listener: CaptureListener;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-folder-'));
    listener = new CaptureListener();
  });
  afterEach(() => rm(folder, { recursive: true }));

  const finish = (capture: Capture | undefined, verdict = 'PASS'): void =>
    capture?.onResult?.({ verdict } as unknown as ResultRecord);
  const names = async (sub = '.'): Promise<string[]> =>
    (await readdir(join(folder, sub), { withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    for (let turn = 0; !(await condition()); turn++) {
      if (turn > 2000) throw new Error('it never came to be');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  test('reads in the order of names, finds part ids, and ends', async () => {
    for (const number of [3, 1, 2]) await put(folder, `bolt_00${number}_cam1.png`, await pngOf(number));
    await writeFile(join(folder, 'notes.txt'), 'no picture');
    const source = folderSource(configOf(folder, { atEnd: 'end', partId: '^bolt_(?<part>\\d+)_' }), setupOf('f'));
    await source.start(listener);
    await listener.until(() => listener.states.at(-1)?.kind === 'ended', 'the end');
    expect(listener.captures.map(({ partId }) => partId)).toEqual(['001', '002', '003']);
    expect(listener.captures[0]).toMatchObject({ file: 'bolt_001_cam1.png' });
    for (const capture of listener.captures) finish(capture);
    await source.stop();
    expect(await names('done')).toEqual(['bolt_001_cam1.png', 'bolt_002_cam1.png', 'bolt_003_cam1.png']);
    expect(await names()).toEqual(['notes.txt']);
  });

  test.runIf(process.platform === 'linux').each(['move', 'remember', 'delete'])(
    'a name that is not UTF-8 is read as any other: %s',
    async (whenRead) => {
      const latin = Buffer.concat([Buffer.from(`${folder}/pi`), Buffer.from([0xe8]), Buffer.from('ce 7.png')]);
      await writeFile(latin, await pngOf(7));
      await put(folder, 'pièce 8.png', await pngOf(8));
      const given = { atEnd: 'end', whenRead, partId: '^.*(?=\\.png$)' };
      const source = folderSource(configOf(folder, given), setupOf('f'));
      await source.start(listener);
      await listener.until(() => listener.states.at(-1)?.kind === 'ended', 'the end');
      expect(listener.captures.map(({ partId, fault }) => [partId, fault])).toEqual([
        ['pi%E8ce 7', null],
        ['pièce 8', null],
      ]);
      for (const capture of listener.captures) finish(capture);
      await source.stop();
      if (whenRead === 'move') expect(await names('done')).toEqual(['pi%E8ce 7.png', 'pièce 8.png']);
      const left = (await readdir(folder)).filter((name) => name.endsWith('.png'));
      expect(left).toHaveLength(whenRead === 'remember' ? 2 : 0);
    },
  );

  test('orders by time of change where it is told to', async () => {
    for (const number of [2, 1]) {
      await put(folder, `${number}.png`, await pngOf(number));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const source = folderSource(configOf(folder, { atEnd: 'end', order: 'time', partId: '\\d' }), setupOf('f'));
    await source.start(listener);
    await listener.until(() => listener.states.at(-1)?.kind === 'ended', 'the end');
    expect(listener.captures.map(({ partId }) => partId)).toEqual(['2', '1']);
    await source.stop();
  });

  test('does not read a file that is still written', async () => {
    const bytes = await pngOf(1);
    const source = folderSource(configOf(folder, { settle: '150 ms' }), setupOf('f'));
    await source.start(listener);
    const file = await open(join(folder, 'slow.png'), 'w');
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 8)) {
      await file.write(bytes.subarray(at, at + Math.ceil(bytes.length / 8)));
      await new Promise((resolve) => setTimeout(resolve, 40));
      expect(listener.captures).toEqual([]);
    }
    await file.close();
    await listener.until(() => listener.captures.length > 0, 'the file');
    const { picture } = listener.captures[0]!;
    expect(picture?.kind === 'encoded' && Buffer.from(picture.bytes).equals(bytes)).toBe(true);
    await source.stop();
  });

  test('a crash before the result judges the file again under its key; after it, not at all', async () => {
    await put(folder, 'a.png', await pngOf(1));
    await put(folder, 'b.png', await pngOf(2));
    const first = folderSource(configOf(folder), setupOf('f'));
    await first.start(listener);
    await listener.until(() => listener.captures.length === 2, 'both');
    finish(listener.captures[0]);
    await until(async () => (await names('done')).includes('a.png'));
    await first.stop(); // b.png has no result yet
    const again = new CaptureListener();
    const second = folderSource(configOf(folder), setupOf('f'));
    await second.start(again);
    await again.until(() => again.captures.length === 1, 'b.png');
    expect(again.captures[0]?.key).toBe(listener.captures[1]?.key);
    expect(again.captures[0]?.key).not.toBe(listener.captures[0]?.key);
    await second.stop();
  });

  test('a file that is put back is another part', async () => {
    await put(folder, 'a.png', await pngOf(1));
    const source = folderSource(configOf(folder), setupOf('f'));
    await source.start(listener);
    await listener.until(() => listener.captures.length === 1, 'it');
    finish(listener.captures[0]);
    await until(async () => (await names('done')).includes('a.png'));
    await rename(join(folder, 'done', 'a.png'), join(folder, 'a.png'));
    await listener.until(() => listener.captures.length === 2, 'it again');
    expect(listener.captures[1]?.key).not.toBe(listener.captures[0]?.key);
    finish(listener.captures[1]);
    await until(async () => (await names('done')).includes('a.png'));
    await source.stop();
  });

  test('two files of one name both stay', async () => {
    const source = folderSource(configOf(folder), setupOf('f'));
    await source.start(listener);
    for (let number = 0; number < 2; number++) {
      await put(folder, 'a.png', await pngOf(number));
      await listener.until(() => listener.captures.length === number + 1, 'it');
      finish(listener.captures[number]);
      await until(async () => (await names('done')).length === number + 1);
    }
    expect(await names('done')).toEqual(['a-1.png', 'a.png']);
    await source.stop();
  });

  test('remembers in a file what it may not move, through a torn write', async () => {
    const config = configOf(folder, { whenRead: 'remember', atEnd: 'end' });
    for (let number = 0; number < 3; number++) await put(folder, `${number}.png`, await pngOf(number));
    const first = folderSource(config, setupOf('f'));
    await first.start(listener);
    await listener.until(() => listener.states.at(-1)?.kind === 'ended', 'the end');
    for (const capture of listener.captures.slice(0, 2)) finish(capture);
    await first.stop();
    const state = await open(join(folder, '.kerf-read'), 'a');
    await state.write('0123456789abc'); // the power went
    await state.close();
    const again = new CaptureListener();
    const second = folderSource(config, setupOf('f'));
    await second.start(again);
    await again.until(() => again.states.at(-1)?.kind === 'ended', 'the end');
    expect(again.captures.map(({ key }) => key)).toEqual([listener.captures[2]?.key]);
    finish(again.captures[0]);
    await second.stop();
    const third = folderSource(config, setupOf('f'));
    const last = new CaptureListener();
    await third.start(last);
    await last.until(() => last.states.at(-1)?.kind === 'ended', 'the end');
    expect(last.captures).toEqual([]);
    await third.stop();
    expect(await names()).toEqual(['.kerf-read', '0.png', '1.png', '2.png']);
  });

  test('what is no picture becomes a capture without one, and goes to failed', async () => {
    await writeFile(join(folder, '1.png'), 'not a picture at all');
    await writeFile(join(folder, '2.png'), '');
    await put(folder, '3.jpg', await pngOf(3)); // a wrong name does no harm
    await writeFile(join(folder, '4.png'), Buffer.alloc(5000));
    await symlink(join(folder, '1.png'), join(folder, '5.png'));
    const source = folderSource(configOf(folder, { largestFile: '4 KB', atEnd: 'end' }), setupOf('f'));
    await source.start(listener);
    await listener.until(() => listener.states.at(-1)?.kind === 'ended', 'the end');
    expect(listener.captures.map(({ fault }) => fault?.code ?? null)).toEqual([
      'IMAGE_INVALID',
      'IMAGE_INVALID',
      null,
      'IMAGE_INVALID',
    ]);
    expect(listener.captures[3]?.fault?.message).toContain('the limit is 4000');
    expect(source.counters).toMatchObject({ captured: 4, unreadable: 3, seen: 4 });
    for (const capture of listener.captures) finish(capture, capture.fault === null ? 'PASS' : 'NO_READ');
    await source.stop();
    expect(await names('failed')).toEqual(['1.png', '2.png', '4.png']);
    expect(await names('done')).toEqual(['3.jpg']);
  });

  test('equal pictures are flagged', async () => {
    for (const name of ['1', '2', '3']) await put(folder, `${name}.png`, await pngOf(name === '3' ? 2 : 1));
    const source = folderSource(configOf(folder, { atEnd: 'end' }), setupOf('f'));
    await source.start(listener);
    await listener.until(() => listener.states.at(-1)?.kind === 'ended', 'the end');
    expect(listener.captures.map(({ isRepeat }) => isRepeat)).toEqual([false, true, false]);
    expect(source.counters.repeated).toBe(1);
    await source.stop();
  });

  test('files that cannot be put away are not read twice, and are put away when they can be', async ({ skip }) => {
    if (process.getuid?.() === 0) {
      // Root may write anywhere: a file where the folder should be stops it all the same.
      await writeFile(join(folder, 'blocked'), '');
    }
    await put(folder, 'a.png', await pngOf(1));
    const source = folderSource(configOf(folder), setupOf('f'));
    await source.start(listener);
    await listener.until(() => listener.captures.length === 1, 'it');
    const blocked = join(folder, 'done');
    if (process.getuid?.() === 0) {
      await rm(blocked, { recursive: true });
      await writeFile(blocked, 'in the way');
    } else {
      await chmod(blocked, 0o500);
    }
    if (process.platform === 'win32') return skip('permissions are another matter on Windows');
    finish(listener.captures[0]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(listener.captures).toHaveLength(1);
    expect(await names()).toContain('a.png');
    if (process.getuid?.() === 0) {
      await rm(blocked);
      await mkdir(blocked);
    } else {
      await chmod(blocked, 0o700);
    }
    await until(async () => (await names('done')).includes('a.png'));
    expect(listener.captures).toHaveLength(1);
    await source.stop();
  });

  test('a folder that was never there is waited for', async () => {
    const source = folderSource(configOf(join(folder, 'later')), setupOf('f'));
    await source.start(listener);
    await listener.until(() => listener.states.at(-1)?.kind === 'lost', 'the loss');
    const cause = { kind: 'source-folder', error: 'ENOENT' };
    expect(listener.states.at(-1)).toMatchObject({ kind: 'lost', code: 'SOURCE_LOST', cause });
    await mkdir(join(folder, 'later'));
    await put(join(folder, 'later'), 'a.png', await pngOf(1));
    await listener.until(() => listener.captures.length === 1, 'a picture');
    await source.stop();
  });
});
