// Video files and RTSP cameras: y4m by ourselves, ffmpeg as a real process that a test stalls and breaks, and as itself.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Capture, rtspShape, type Source, videoShape } from '@kerf/edge-runtime';
import { rtspSource, videoSource } from '@kerf/edge-runtime/node';
import { writeVideo } from '@kerf/models';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CaptureListener, describeSource } from '../../../../test/conformance/source.ts';
import { FakeFfmpeg } from './fake-ffmpeg.ts';
import { setupOf } from './support.ts';

describeSource('RTSP', { vanishes: true }, async () => {
  const fake = await FakeFfmpeg.make();
  const config = rtspShape.read({ url: 'rtsp://camera/stream', ffmpeg: fake.program, stall: '30 s' }, 'source');
  return {
    open: (hasTrigger) => rtspSource(config, setupOf('camera', hasTrigger), null),
    picture: (number) => fake.send(number).catch(() => undefined),
    vanish: { away: () => fake.away(), back: () => fake.back() },
    dispose: () => fake.dispose(),
  };
});

describe('RTSP source', () => {
  const fakes: FakeFfmpeg[] = [];
  const sources: Source[] = [];
  afterEach(async () => {
    for (const source of sources.splice(0)) await source.stop();
    for (const fake of fakes.splice(0)) await fake.dispose();
  });
  const start = async (
    given: Record<string, unknown> = {},
    password: string | null = null,
  ): Promise<{ fake: FakeFfmpeg; source: Source; listener: CaptureListener }> => {
    const fake = await FakeFfmpeg.make();
    fakes.push(fake);
    const config = rtspShape.read(
      { url: 'rtsp://camera/stream', ffmpeg: fake.program, stall: '30 s', ...given },
      'source',
    );
    const source = rtspSource(config, setupOf('camera'), password);
    sources.push(source);
    const listener = new CaptureListener();
    await source.start(listener);
    return { fake, source, listener };
  };
  const lost = (listener: CaptureListener): string | undefined => {
    const state = listener.states.findLast(({ kind }) => kind === 'lost');
    return state?.kind === 'lost' ? state.message : undefined;
  };

  test('a camera that stalls is opened again', async () => {
    const { fake, source, listener } = await start({ stall: '700 ms' });
    await fake.send(1);
    await listener.until(() => lost(listener)?.includes('700 ms') === true, 'the stall');
    await fake.send(2);
    await listener.until(() => source.counters.recoveries > 0, 'the recovery');
  });

  test('a frozen camera is opened again', async () => {
    const { fake, source, listener } = await start({ frozen: 5 });
    for (let count = 0; count < 8; count++) {
      await fake.send(1);
      await listener.until(() => source.counters.seen > count || lost(listener) !== undefined, 'a frame');
      if (lost(listener) !== undefined) break;
    }
    await listener.until(() => lost(listener)?.includes('frozen') === true, 'the loss');
    expect(source.counters.repeated).toBeGreaterThanOrEqual(5);
    expect(listener.captures.filter(({ isRepeat }) => isRepeat).length).toBeGreaterThan(0);
  });

  test('what ffmpeg says reaches the state, without the password', async () => {
    const { fake, listener } = await start({ user: 'line' }, 'secret');
    await fake.send(1);
    await listener.until(() => listener.captures.length > 0, 'a picture');
    await fake.away();
    await listener.until(() => lost(listener) !== undefined, 'the loss');
    expect(lost(listener)).toContain('Connection refused');
    expect(lost(listener)).not.toContain('secret');
    expect(listener.states.at(-1)).toMatchObject({ cause: { kind: 'source-unreachable' } });
    const [args] = (await readFile(fake.log, 'utf8')).split('\n');
    expect(args).toContain('rtsp://line:secret@camera/stream');
  });

  test('says that ffmpeg is missing, and what to do', async () => {
    const config = rtspShape.read({ url: 'rtsp://camera/stream', ffmpeg: '/nowhere/ffmpeg' }, 'source');
    await expect(rtspSource(config, setupOf('c'), null).start(new CaptureListener())).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
      message: expect.stringContaining('apt-get install ffmpeg') as string,
    });
    const named = { ...config, url: 'rtsp://user:word@camera/stream' };
    expect(() => rtspSource(named, setupOf('c'), null)).toThrow('passwordFrom');
  });
});

describe('video source', () => {
  let folder: string;
  let path: string;
  const sources: Source[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kerf-video-'));
    path = join(folder, 'parts.y4m');
    await writeVideo(path, { station: 'fixture', seconds: 1, framesPerSecond: 6, goodShare: 0 });
  });
  afterEach(async () => {
    for (const source of sources.splice(0)) await source.stop();
    await rm(folder, { recursive: true });
  });
  const play = async (
    given: Record<string, unknown>,
    hasTrigger = false,
  ): Promise<{ source: Source; listener: CaptureListener }> => {
    const source = videoSource(videoShape.read({ path, ...given }, 'source'), setupOf('video', hasTrigger));
    sources.push(source);
    const listener = new CaptureListener();
    await source.start(listener);
    return { source, listener };
  };
  const ended = (listener: CaptureListener): Promise<void> =>
    listener.until(() => listener.states.at(-1)?.kind === 'ended', 'the end');

  test('every frame once, in order, with its part id', async () => {
    const { source, listener } = await play({ partId: 'P-{number}' });
    await ended(listener);
    expect(listener.captures.map(({ partId }) => partId)).toEqual(['P-0', 'P-1', 'P-2', 'P-3', 'P-4', 'P-5']);
    expect(source.counters).toMatchObject({ seen: 6, captured: 6, dropped: 0 });
    const { picture, isSimulated } = listener.captures[0]!;
    expect(picture?.kind === 'pixels' && [picture.image.width, picture.image.height]).toEqual([384, 384]);
    expect(isSimulated).toBe(true);
  });

  test('takes as many pictures a second as it is told to, and begins again where it is told to', async () => {
    const thinned = await play({ rate: 2 });
    await ended(thinned.listener);
    expect(thinned.listener.captures).toHaveLength(2);
    const { listener } = await play({ repeat: true });
    await listener.until(() => listener.captures.length > 13, 'the third time');
  });

  test('at the pace of the recording it drops what the station has no room for', async () => {
    const { source, listener } = await play({ pace: 'as-recorded' });
    listener.full = true;
    await listener.until(() => source.counters.seen === 6, 'all frames');
    listener.release();
    await ended(listener);
    expect(source.counters.captured + source.counters.dropped).toBe(6);
    expect(source.counters.dropped).toBeGreaterThan(0);
  });

  test('a recording that was cut off loses its last frame and ends', async () => {
    await truncate(path, (await readFile(path)).length - 100);
    const { source, listener } = await play({});
    await ended(listener);
    expect(source.counters).toMatchObject({ captured: 5, dropped: 1, seen: 6 });
  });

  test('one frame for each trigger', async () => {
    const { source, listener } = await play({}, true);
    for (const partId of ['a', 'b']) source.trigger({ partId, key: null, onResult: null });
    await listener.until(() => listener.captures.length === 2, 'both');
    expect(listener.captures.map(({ partId }) => partId)).toEqual(['a', 'b']);
  });

  test('a file that is not there, and one that is no video, are lost with a reason', async () => {
    await writeFile(join(folder, 'text.y4m'), 'no video at all\n');
    for (const [name, code] of [
      ['none.y4m', 'SOURCE_LOST'],
      ['text.y4m', 'IMAGE_INVALID'],
    ]) {
      const { listener } = await play({ path: join(folder, name!) });
      await listener.until(() => listener.states.at(-1)?.kind === 'lost', 'the loss');
      expect(listener.states.at(-1)).toMatchObject({ kind: 'lost', code });
    }
  });

  test('ffmpeg decodes what we do not: the same parts, through a codec', async ({ skip }) => {
    if (spawnSync('ffmpeg', ['-version']).error !== undefined) return skip('ffmpeg is not installed');
    const avi = join(folder, 'parts.avi');
    execFileSync('ffmpeg', ['-loglevel', 'error', '-i', path, '-c:v', 'ffv1', avi]);
    const original = await play({});
    await ended(original.listener);
    const coded = await play({ path: avi });
    await ended(coded.listener);
    // ffv1 is lossless: bit for bit.
    const pixels = ({ picture }: Capture): Uint8Array | null =>
      picture?.kind === 'pixels' ? picture.image.data : null;
    expect(coded.listener.captures).toHaveLength(6);
    for (const [at, capture] of coded.listener.captures.entries()) {
      expect(Buffer.from(pixels(capture)!).equals(pixels(original.listener.captures[at]!)!)).toBe(true);
    }
  });
});
