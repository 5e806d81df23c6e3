// A network camera without ffmpeg: what it sends comes whole and in order, and what is wrong with it is said.
import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { KerfError, systemClock } from '@kerf/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { type CameraOptions, openCamera, type Picture, type TestCamera } from '../../../../test/support/rtsp-server.ts';
import type { VideoUnit } from '../../src/node/rtsp/h264-units.ts';
import { RtspReader } from '../../src/node/rtsp/rtsp-messages.ts';
import { watchRtsp } from '../../src/node/rtsp/watch-rtsp.ts';

const nal = (type: number, bytes: number): Uint8Array => Uint8Array.of(0x60 | type, ...randomBytes(bytes));
const sps = Uint8Array.of(0x67, 0x42, 0xe0, 0x1e, 1, 2, 3);
const pps = Uint8Array.of(0x68, 9, 8);
/** A key picture of several packets, then one of one, one of two slices and one with a remark before it. */
const PICTURES: readonly Picture[] = [
  [sps, pps, nal(5, 5000)],
  [nal(1, 300)],
  [nal(1, 900), nal(1, 3000)],
  [nal(6, 20), nal(1, 1500)],
];
const withStarts = (picture: Picture): Buffer =>
  Buffer.concat(picture.flatMap((one) => [Uint8Array.of(0, 0, 0, 1), one]));

let camera: TestCamera | null = null;
afterEach(async () => {
  await camera?.close();
  camera = null;
});

interface Watched {
  readonly units: VideoUnit[];
  readonly codecs: string[];
}

/** Until so many units have come. */
async function watch(
  options: CameraOptions,
  count: number,
  login: { readonly user: string; readonly password: string } | null = null,
): Promise<Watched> {
  camera = await openCamera({ framesPerSecond: 100, ...options });
  const seen: Watched = { units: [], codecs: [] };
  const enough = new AbortController();
  await watchRtsp(
    { url: camera.url, user: login?.user ?? null, password: login?.password ?? null },
    { clock: systemClock, signal: enough.signal },
    {
      onCodec: (codec) => seen.codecs.push(codec),
      onUnit: (unit) => {
        seen.units.push(unit);
        if (seen.units.length === count) enough.abort();
      },
    },
  );
  return seen;
}

describe('a camera that sends H.264', () => {
  it('gives every picture whole, in order, with its time', async () => {
    const { units, codecs } = await watch({ pictures: PICTURES }, 9);
    expect(units.map(({ data }) => Buffer.from(data).toString('hex'))).toEqual(
      Array.from({ length: 9 }, (_, at) => withStarts(PICTURES[at % 4] ?? []).toString('hex')),
    );
    expect(units.map(({ isKey }) => isKey)).toEqual([true, false, false, false, true, false, false, false, true]);
    expect(codecs).toEqual(['avc1.42e01e']);
    expect(units.map(({ timestampUs }) => timestampUs)).toEqual(Array.from({ length: 9 }, (_, at) => at * 10_000));
    await expect.poll(() => camera?.asked).toEqual(['DESCRIBE', 'SETUP', 'PLAY']);
  });

  it('takes the parameters from its description', async () => {
    const { units, codecs } = await watch({ pictures: PICTURES, parametersApart: true }, 5);
    expect(codecs).toEqual(['avc1.42e01e']);
    expect(Buffer.from(units[0]?.data ?? [])).toEqual(withStarts(PICTURES[0] ?? []));
    expect(Buffer.from(units[4]?.data ?? [])).toEqual(withStarts(PICTURES[0] ?? []));
  });

  it('begins anew with a key picture after a loss: nothing broken is decoded', async () => {
    // The first picture has six packets: of the small ones together, and five pieces. The seventh is the second picture.
    for (const [lost, first] of [
      [3, 4],
      [6, 0],
    ] as const) {
      const { units } = await watch({ pictures: PICTURES, lost: new Set([lost]) }, 3);
      const whole = units.map(({ data }) => Buffer.from(data).toString('hex'));
      const key = withStarts(PICTURES[0] ?? []).toString('hex');
      const expected = first === 0 ? [key, key] : [key];
      expect(whole.slice(0, expected.length)).toEqual(expected);
      expect(units[0]?.isKey).toBe(true);
      await camera?.close();
    }
  });

  it.each(['Basic', 'MD5', 'SHA-256'] as const)('lets somebody in who proves it: %s', async (scheme) => {
    const login = { user: 'line-3', password: 'pa ss:word"' };
    const { units } = await watch({ pictures: PICTURES, login: { ...login, scheme } }, 2, login);
    expect(units).toHaveLength(2);
    expect(camera?.asked.slice(0, 2)).toEqual(['DESCRIBE', 'DESCRIBE']);
  });

  it('is asked again before it ends the session', async () => {
    // It ends one after two seconds, it says.
    const { units } = await watch({ pictures: PICTURES, framesPerSecond: 10 }, 16);
    expect(units).toHaveLength(16);
    expect(camera?.asked).toContain('GET_PARAMETER');
  });
});

describe('what is wrong with a camera is said', () => {
  const wrong = { user: 'line-3', password: 'Xy77-q' };
  it.each<[string, CameraOptions, typeof wrong | null, object]>([
    [
      'no login',
      { pictures: PICTURES, login: { user: 'a', password: 'b', scheme: 'MD5' } },
      null,
      { kind: 'source-login' },
    ],
    [
      'a wrong login',
      { pictures: PICTURES, login: { user: 'line-3', password: 'b', scheme: 'MD5' } },
      wrong,
      { kind: 'source-login' },
    ],
    [
      'no such stream',
      { pictures: PICTURES, status: 404 },
      null,
      { kind: 'source-no-stream', message: 'DESCRIBE: 404 Not Here' },
    ],
    ['too many who look', { pictures: PICTURES, status: 453 }, null, { kind: 'source-busy' }],
    ['another encoding', { pictures: PICTURES, encoding: 'H265' }, null, { kind: 'source-encoding', encoding: 'H265' }],
    ['its end', { pictures: PICTURES, endsAfter: 2 }, null, { kind: 'source-ended' }],
  ])('%s', async (_, options, login, why) => {
    const error = await watch(options, 1000, login).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SOURCE_LOST', details: { why } });
    expect(String(error)).not.toContain(wrong.password);
  });

  it('nobody at its address, and somebody who speaks otherwise', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const look = (): Promise<unknown> =>
      watchRtsp(
        { url: `rtsp://127.0.0.1:${port}/stream`, user: null, password: null },
        { clock: systemClock, signal: new AbortController().signal },
        { onCodec: () => undefined, onUnit: () => undefined },
      ).catch((thrown: unknown) => thrown);
    expect(await look()).toMatchObject({ code: 'SOURCE_LOST', details: { why: { kind: 'source-unreachable' } } });
    await new Promise((resolve) => server.close(resolve));
    expect(await look()).toMatchObject({
      code: 'SOURCE_LOST',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('bytes of any kind end in an answer, a packet, a wait or a refusal', () => {
    for (let round = 0; round < 500; round++) {
      const reader = new RtspReader({ onAnswer: () => undefined, onPacket: () => undefined });
      try {
        for (let chunk = 0; chunk < 8; chunk++) reader.read(randomBytes(1 + ((round * 7919) % 600)));
        reader.read(Buffer.from('RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n'));
      } catch (error) {
        expect(KerfError.is(error)).toBe(true);
      }
    }
  });
});
