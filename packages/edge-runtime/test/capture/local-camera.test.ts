// A camera of this machine: what ffmpeg is told on each system, a camera that is not there, one that comes and goes.
import { systemClock } from '@kerf/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { cameraShape } from '../../src/capture/camera-config.ts';
import type { Capture } from '../../src/capture/capture.ts';
import type { SourceState } from '../../src/capture/source.ts';
import { cameraInput, localCamera } from '../../src/node/capture/local-camera.ts';
import { FakeFfmpeg } from './fake-ffmpeg.ts';

const QUICK = ['-fflags', 'nobuffer', '-flags', 'low_delay'];
const config = (given: Record<string, unknown> = {}) => cameraShape.read(given, 'camera');
const setup = { name: 'camera', hasTrigger: false, clock: systemClock, random: () => 0.01, wallClock: Date.now };

describe('what ffmpeg is told', () => {
  test.each([
    ['linux', {}, ['-f', 'v4l2'], '/dev/video0'],
    ['linux', { device: '2' }, ['-f', 'v4l2'], '/dev/video2'],
    ['linux', { device: '/dev/v4l/by-id/usb-cam' }, ['-f', 'v4l2'], '/dev/v4l/by-id/usb-cam'],
    ['darwin', {}, ['-f', 'avfoundation'], '0:none'],
    ['darwin', { device: 'FaceTime HD Camera' }, ['-f', 'avfoundation'], 'FaceTime HD Camera:none'],
    ['win32', { device: 'USB Camera' }, ['-f', 'dshow'], 'video=USB Camera'],
  ] as const)('on %s, %j', (platform, given, format, input) => {
    expect(cameraInput(config(given), platform)).toEqual({ inputOptions: [...format, ...QUICK], input });
  });

  test('size and rate come before the input', () => {
    const { inputOptions } = cameraInput(config({ width: 1280, height: 720, rate: 30 }), 'linux');
    const wanted = ['-framerate', '30', '-video_size', '1280x720'];
    expect(inputOptions).toEqual(['-f', 'v4l2', ...wanted, ...QUICK]);
  });

  test.each([
    ['linux', { width: 640 }, /both width and height/],
    ['win32', {}, /name the camera as 'device': .*-list_devices/],
    ['aix', {}, /cameras of aix are not supported/],
  ] as const)('on %s, %j is refused with what to do', (platform, given, message) => {
    expect(() => cameraInput(config(given), platform)).toThrow(message);
  });
});

describe('a camera of this machine', () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  function started(given: Record<string, unknown>, platform: NodeJS.Platform) {
    const states: SourceState[] = [];
    const captures: Capture[] = [];
    const source = localCamera(config(given), setup, null, platform);
    ends.push(() => source.stop());
    const running = source.start({
      onCapture: async (capture) => void captures.push(capture),
      onState: (state) => void states.push(state),
    });
    return { source, states, captures, running };
  }

  async function until(what: () => boolean): Promise<void> {
    for (let turn = 0; turn < 1000 && !what(); turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(what()).toBe(true);
  }

  test('one that is not there is lost, with its name and those that are there, and is tried again', async () => {
    const ffmpeg = await FakeFfmpeg.make();
    ends.push(() => ffmpeg.dispose());
    const { states, running } = started({ device: '/dev/video-nowhere', ffmpeg: ffmpeg.program }, 'linux');
    await running;
    await until(() => states.filter(({ kind }) => kind === 'lost').length > 1);
    const lost = states.find((state) => state.kind === 'lost');
    expect(lost).toMatchObject({ code: 'SOURCE_LOST' });
    expect(lost?.kind === 'lost' && lost.message).toMatch(
      /^there is no camera at \/dev\/video-nowhere; cameras of this machine: (none|\/dev\/video\d+.*)$/,
    );
  });

  test('gives its pictures, and comes back after it was unplugged', async () => {
    const ffmpeg = await FakeFfmpeg.make();
    ends.push(() => ffmpeg.dispose());
    const { source, states, captures, running } = started({ ffmpeg: ffmpeg.program, rate: 25 }, 'darwin');
    await running;
    await ffmpeg.send(1);
    await until(() => captures.length === 1);
    expect(captures[0]?.picture).toMatchObject({ kind: 'pixels', image: { width: 8, height: 6 } });
    await ffmpeg.away();
    await until(() => states.at(-1)?.kind === 'lost');
    await ffmpeg.back();
    await ffmpeg.send(2);
    await until(() => captures.length === 2);
    expect(source.counters).toMatchObject({ captured: 2, recoveries: 1 });
    expect((await ffmpeg.calls())[0]).toEqual(expect.arrayContaining(['-f', 'avfoundation', '-i', '0:none']));
  });

  test('without ffmpeg the start says what to install', async () => {
    const { running } = started({ ffmpeg: '/nowhere/ffmpeg' }, 'darwin');
    await expect(running).rejects.toMatchObject({ code: 'PROGRAM_MISSING' });
  });
});
