// Activations as pictures: bounded, the most telling first, whatever the tensor is.
import { bytesOf, float32Tensor, makeTensor } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { channelPictures } from '../../src/look/channel-pictures.ts';

test('each channel is scaled by itself, and those that vary most come first', () => {
  const flat = [5, 5, 5, 5];
  const small = [0, 0, 0, 1];
  const large = [-10, 0, 10, 30];
  const pictures = channelPictures(float32Tensor([1, 3, 2, 2], new Float32Array([...flat, ...small, ...large])));
  expect(pictures).toMatchObject({ channels: 3, width: 2, height: 2 });
  expect(pictures?.shown.map(({ channel, low, high }) => [channel, low, high])).toEqual([
    [2, -10, 30],
    [1, 0, 1],
    [0, 5, 5],
  ]);
  expect([...(pictures?.shown[0]?.pixels ?? [])]).toEqual([0, 64, 128, 255]);
  expect([...(pictures?.shown[2]?.pixels ?? [])]).toEqual([0, 0, 0, 0]);
});

test('many and large channels are bounded; a pixel is the mean of what it stands for', () => {
  const [channels, side] = [60, 200];
  const values = new Float32Array(channels * side * side);
  for (let channel = 0; channel < channels; channel++)
    values.fill(channel, channel * side * side + 9 * side, (channel + 1) * side * side);
  const pictures = channelPictures(float32Tensor([channels, side, side], values));
  expect(pictures).toMatchObject({ channels: 60, width: 67, height: 67 });
  expect(pictures?.shown.length).toBe(48);
  expect(pictures?.shown[0]?.channel).toBe(59);
  // Rows 0 to 8 are black: three pixels of three rows each.
  expect([...(pictures?.shown[0]?.pixels ?? [])].filter((value) => value === 0).length).toBe(3 * 67);
  const total = pictures?.shown.reduce((sum, { pixels }) => sum + pixels.length, 0) ?? 0;
  expect(total).toBeLessThanOrEqual(48 * 96 * 96);
});

test('takes rows, halves, integers and broken values, and says nothing of texts', () => {
  expect(channelPictures(float32Tensor([1, 4], new Float32Array([0, 1, 2, 3])))).toMatchObject({
    channels: 1,
    width: 4,
    height: 1,
  });
  const half = makeTensor('float16', [1, 1, 1, 2], bytesOf(new Uint16Array([0x3c00, 0x4000])));
  expect(channelPictures(half)?.shown[0]).toMatchObject({ low: 1, high: 2 });
  const bytes = makeTensor('uint8', [1, 1, 1, 2], Uint8Array.of(7, 9));
  expect([...(channelPictures(bytes)?.shown[0]?.pixels ?? [])]).toEqual([0, 255]);
  const broken = float32Tensor([1, 1, 1, 3], new Float32Array([Number.NaN, Number.POSITIVE_INFINITY, 1]));
  expect(channelPictures(broken)?.shown[0]).toMatchObject({ low: 0, high: 1 });
  expect(channelPictures(makeTensor('string', [0], new Uint8Array()))).toBeNull();
});
