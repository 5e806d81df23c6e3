// Encoded images as payloads: decoded in the worker by the rule that the edge uses, and never beyond their declared size.

import { type ImagePixels, imageSizeInHeader, imageToTensor, type Payload } from '@kerf/protocol';
import { Transformer } from '@napi-rs/image';
import { describe, expect, it } from 'vitest';
import { opened, serveModels } from './support/cloud.ts';
import { pixelsModel, temporaryFolder, writeModel } from './support/models.ts';

const width = 33;
const height = 21;
const rgb = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 37 + (at >> 5)) % 256);
const rgba = Uint8Array.from({ length: width * height * 4 }, (_, at) =>
  at % 4 === 3 ? 255 : rgb[Math.floor(at / 4) * 3 + (at % 4)]!,
);
const pixels: ImagePixels = {
  layout: 'nhwc',
  channels: 'rgb',
  scale: [1 / 255, 1 / 255, 1 / 255],
  offset: [-0.5, 0, 0.5],
};
const source = (): Transformer => Transformer.fromRgbaPixels(rgba, width, height);

function image(bytes: Uint8Array, format: 'png' | 'jpeg' | 'webp', shape = [1, height, width, 3]): Payload {
  return { name: 'x', dtype: 'float32', shape, codec: { kind: 'image', format, pixels }, bytes };
}

/** A PNG whose header declares another size than its data has. */
async function bomb(declaredWidth: number, declaredHeight: number): Promise<Uint8Array> {
  const bytes = Uint8Array.from(await source().png());
  const view = new DataView(bytes.buffer);
  view.setUint32(16, declaredWidth);
  view.setUint32(20, declaredHeight);
  return bytes;
}

describe('an image', () => {
  it('becomes the tensor that the edge would have made of it', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'pixels', pixelsModel());
    const edge = await opened(await serveModels(dir), 'pixels');
    const lossless = imageToTensor({ width, height, data: rgb }, pixels, 'float32');
    edge.frame(1, [image(await source().png(), 'png')]);
    edge.frame(2, [image(await source().webpLossless(), 'webp')]);
    for (const frame of [1, 2]) {
      expect(Buffer.compare((await edge.result(frame)).tensors[0]!.bytes, lossless.data), `frame ${frame}`).toBe(0);
    }
    const jpeg = await source().jpeg(90);
    const decoded = await new Transformer(jpeg).rawPixels();
    edge.frame(3, [image(jpeg, 'jpeg')]);
    const want = imageToTensor({ width, height, data: decoded }, pixels, 'float32');
    expect(Buffer.compare((await edge.result(3)).tensors[0]!.bytes, want.data)).toBe(0);
  });

  it('that is damaged, of another size, of another format or a bomb is refused alone', async () => {
    const dir = temporaryFolder();
    writeModel(dir, 'pixels', pixelsModel());
    const cloud = await serveModels(dir, { limits: { maxDecodedImageBytes: 4_000_000 } });
    const edge = await opened(cloud, 'pixels');
    const png = await source().png();
    const bad: [Payload, string][] = [
      [image(png.subarray(0, 120), 'png'), 'IMAGE_INVALID'],
      [image(png, 'jpeg'), 'IMAGE_INVALID'],
      [image(png, 'png', [1, height, width + 1, 3]), 'IMAGE_INVALID'],
      [image(await bomb(50_000, 50_000), 'png'), 'IMAGE_INVALID'],
      [image(await bomb(4000, 4000), 'png', [1, 4000, 4000, 3]), 'MESSAGE_TOO_LARGE'],
      [image(new Uint8Array(0), 'webp'), 'IMAGE_INVALID'],
    ];
    for (const [frame, [payload]] of bad.entries()) edge.frame(frame, [payload]);
    for (const [frame, [, code]] of bad.entries()) {
      expect(await edge.answer(frame), `frame ${frame}`).toMatchObject({ type: 'fault', code });
    }
    edge.frame(90, [image(png, 'png')]);
    await edge.result(90);
    expect(cloud.events.filter(({ event }) => event === 'worker-lost')).toEqual([]);
  });

  it('has its size read from every kind of header', async () => {
    expect(imageSizeInHeader(await source().png(), 'png')).toEqual({ width, height });
    expect(imageSizeInHeader(await source().jpeg(80), 'jpeg')).toEqual({ width, height });
    expect(imageSizeInHeader(await source().webp(80), 'webp')).toEqual({ width, height });
    expect(imageSizeInHeader(await source().webpLossless(), 'webp')).toEqual({ width, height });
  });

  it('of any bytes at all never makes the header reader do more than refuse', () => {
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from({ length: round % 64 }, () => Math.floor(Math.random() * 256));
      bytes.set([0xff, 0xd8, 0xff].slice(0, bytes.length));
      for (const format of ['png', 'jpeg', 'webp'] as const) {
        try {
          imageSizeInHeader(bytes, format);
        } catch (error) {
          expect(error).toMatchObject({ code: 'IMAGE_INVALID' });
        }
      }
    }
  });
});
