import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLAIN_PICTURES } from '@kerf/edge-runtime';
import { writeTensorFile } from '@kerf/onnx/node';
import { float32Tensor, type Tensor, type TensorSpec, typedView } from '@kerf/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PictureOptions, readFrame } from '../src/frame-input.ts';
import { encodePng } from '../src/picture.ts';

const specs: TensorSpec[] = ['left', 'right'].map((name) => ({ name, dtype: 'float32', shape: [1] }));
const pictures: PictureOptions = PLAIN_PICTURES;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-frame-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a folder as a frame', () => {
  const put = (file: string, name: string, value: number): Promise<void> =>
    writeTensorFile(join(folder, file), { name, tensor: float32Tensor([1], new Float32Array([value])) });
  const read = async (): Promise<Record<string, number | undefined>> => {
    const frame = await readFrame(folder, specs, pictures);
    return Object.fromEntries([...frame].map(([name, { data }]) => [name, new Float32Array(data.slice().buffer)[0]]));
  };

  it('goes by the names that its tensors have, whatever their numbers', async () => {
    await put('input_0.pb', 'right', 2);
    await put('input_1.pb', 'left', 1);
    expect(await read()).toEqual({ left: 1, right: 2 });
  });

  it('goes by the numbers of tensors whose names are no inputs', async () => {
    await put('input_0.pb', '', 1);
    await put('input_1.pb', 'b', 2);
    expect(await read()).toEqual({ left: 1, right: 2 });
  });

  it('may have files named after the inputs, and others beside them', async () => {
    await put('left.pb', 'x', 1);
    await put('right.pb', 'left', 2);
    await put('output_0.pb', 'y', 3);
    writeFileSync(join(folder, 'README.txt'), '');
    expect(await read()).toEqual({ left: 1, right: 2 });
  });

  it('is refused where a tensor has no input to go to, or two have the same', async () => {
    await put('input_0.pb', 'left', 1);
    await put('input_1.pb', 'right', 2);
    await put('input_2.pb', 'bias', 3);
    await expect(read()).rejects.toThrow(
      "input_2.pb ('bias') is no input that the model wants (it has 'left', 'right'); a default inside the model cannot be replaced",
    );
    rmSync(join(folder, 'input_2.pb'));
    await put('input_1.pb', 'left', 2);
    await expect(read()).rejects.toThrow("both input_0.pb and input_1.pb are 'left'");
    rmSync(join(folder, 'input_1.pb'));
    await expect(read()).rejects.toThrow(/has neither input_1.pb nor input_1.npy nor right.pb nor right.npy/);
  });
});

describe('a picture of another shape than the input', () => {
  const image: TensorSpec = { name: 'image', dtype: 'float32', shape: [1, 1, 4, 4] };

  it.each([
    [null, [1, 1, 1, 1]],
    ['pad', [0.2, 1, 1, 0.2]],
    ['pad-end', [1, 1, 0.2, 0.2]],
  ] as const)('fills it: %s', async (fit, rows) => {
    const path = join(folder, 'white.png');
    writeFileSync(path, await encodePng({ width: 8, height: 4, data: new Uint8Array(96).fill(255) }));
    const tensors = await readFrame(path, [image], { ...pictures, fit, padding: fit === null ? null : 51 });
    const values = typedView(tensors.get('image') as Tensor) as Float32Array;
    expect([0, 4, 8, 12].map((at) => values[at])).toEqual(rows.map((value) => expect.closeTo(value, 6) as number));
  });
});
