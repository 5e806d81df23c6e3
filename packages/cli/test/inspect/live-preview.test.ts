// The live view over a thin link: real pictures, and a link of a rate and a round trip between the station and its reader.

import { type InspectorService, type LiveView, openBridge, type PictureView, serveBridge } from '@kerf/bridge';
import { memoryLink, seededRandom, systemClock, type Transport } from '@kerf/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { previewPicture } from '../../src/inspect/preview-picture.ts';
import { decodePicture, encodeJpeg } from '../../src/picture.ts';

const [WIDTH, HEIGHT] = [1280, 720];
/** 1 Mbit/s: what is left of a Wi-Fi at the far end of a hall. */
const THIN = { bytesPerMs: 125, oneWayMs: 20 };
const EVERY_MS = 100;

let picture: PictureView;
beforeAll(async () => {
  const noise = seededRandom(7);
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let at = 0; at < data.length; at += 3) data.fill(96 + ((at / 3) % WIDTH) / 10 + noise() * 40, at, at + 3);
  picture = {
    format: 'jpeg',
    bytes: await encodeJpeg({ width: WIDTH, height: HEIGHT, data }, 85),
    width: WIDTH,
    height: HEIGHT,
  };
});

/** Messages leave one behind the other, each as long as its bytes take. */
function thin(transport: Transport): Transport {
  let freeAtMs = 0;
  return {
    get bufferedBytes() {
      return transport.bufferedBytes;
    },
    close: (code, reason) => transport.close(code, reason),
    start: (handlers) => transport.start(handlers),
    send(message) {
      const nowMs = systemClock.nowMs();
      freeAtMs = Math.max(freeAtMs, nowMs) + message.byteLength / THIN.bytesPerMs;
      systemClock.after(freeAtMs + THIN.oneWayMs - nowMs, () => transport.send(message));
    },
  };
}

/** The pictures that a reader has after `forMs`. */
async function watched(withPreview: boolean, forMs: number): Promise<PictureView[]> {
  const listeners = new Set<(live: LiveView) => void>();
  const service: InspectorService = {
    call: async () => ({ version: '1', station: 's', role: 'viewer', wallMs: 0 }) as never,
    subscribe: (topic, listener) => {
      if (topic === 'live') listeners.add(listener as (live: LiveView) => void);
      return () => listeners.clear();
    },
    ...(withPreview ? { preview: previewPicture } : {}),
  };
  const link = memoryLink();
  serveBridge(thin(link.cloud), service, { name: 'tablet', role: 'viewer' });
  const bridge = openBridge({ connect: () => Promise.resolve(link.edge), clock: systemClock, random: () => 0 });
  const seen: PictureView[] = [];
  bridge.subscribe('live', (live) => {
    if (live.picture !== null) seen.push(live.picture);
  });
  const line = setInterval(() => {
    for (const tell of listeners) tell({ record: {} as never, picture: { ...picture }, takenMs: systemClock.nowMs() });
  }, EVERY_MS);
  await new Promise((resolve) => systemClock.after(forMs, () => resolve(null)));
  clearInterval(line);
  bridge.close();
  return seen;
}

describe('the live view over 1 Mbit/s', () => {
  test('gets smaller pictures and more of them, in the place that boxes are drawn for', async () => {
    const [before, after] = [await watched(false, 10_000), await watched(true, 10_000)];
    const settled = after.slice(-3);
    expect(after.length).toBeGreaterThan(before.length);
    for (const small of settled) {
      expect(small).toMatchObject({ format: 'jpeg', width: WIDTH, height: HEIGHT });
      expect(small.bytes.byteLength).toBeLessThan(picture.bytes.byteLength / 4);
    }
    const { width, height } = await decodePicture(settled[0]!.bytes);
    expect(width / height).toBeCloseTo(WIDTH / HEIGHT, 1);
    expect(width).toBeLessThan(WIDTH);
    expect(settled[0]?.reducedTo).toBe(width);
    for (const whole of before) expect(whole).not.toHaveProperty('reducedTo');
  });
});
