// A model that finds white places in grey pictures, and pictures for it, so that what is right is known beforehand.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BuildModel, buildModel } from '@kerf/onnx';
import { bytesOf, makeTensor } from '@kerf/protocol';
import { parseCommandLine } from '../../src/command.ts';
import { findCommand } from '../../src/command-table.ts';
import { encodePng } from '../../src/picture.ts';

/** Side of the model's pictures. */
export const SIDE = 16;

/** image -> features (Relu) -> mask, their mean over colours, and score, the largest of the mask. */
export function inspectionModel(metadata: BuildModel['metadata'] = {}): Uint8Array {
  const image = ['N', 3, SIDE, SIDE];
  return buildModel({
    nodes: [
      { op: 'Relu', inputs: ['image'], outputs: ['features'] },
      { op: 'ReduceMean', inputs: ['features'], outputs: ['mask'], attributes: { axes: [1], keepdims: 1 } },
      { op: 'ReduceMax', inputs: ['mask'], outputs: ['score'], attributes: { axes: [1, 2, 3], keepdims: 0 } },
    ],
    inputs: [{ name: 'image', dtype: 'float32', shape: image }],
    outputs: [
      { name: 'mask', dtype: 'float32', shape: ['N', 1, SIDE, SIDE] },
      { name: 'score', dtype: 'float32', shape: ['N'] },
    ],
    metadata: { 'kerf.pass_below': '0.3', 'kerf.ng_above': '0.7', 'kerf.mask_threshold': '128', ...metadata },
  });
}

/** image -> features -> logits of two classes: dark and bright. */
export function brightnessModel(): Uint8Array {
  return buildModel({
    nodes: [
      { op: 'Relu', inputs: ['image'], outputs: ['features'] },
      { op: 'ReduceMean', inputs: ['features'], outputs: ['mean'], attributes: { axes: [1, 2, 3], keepdims: 0 } },
      { op: 'Unsqueeze', inputs: ['mean', 'last'], outputs: ['bright'] },
      { op: 'Sub', inputs: ['one', 'bright'], outputs: ['dark'] },
      { op: 'Concat', inputs: ['dark', 'bright'], outputs: ['logits'], attributes: { axis: 1 } },
    ],
    inputs: [{ name: 'image', dtype: 'float32', shape: ['N', 3, SIDE, SIDE] }],
    outputs: [{ name: 'logits', dtype: 'float32', shape: ['N', 2] }],
    initializers: [
      { name: 'last', tensor: makeTensor('int64', [1], bytesOf(new BigInt64Array([1n]))) },
      { name: 'one', tensor: makeTensor('float32', [1], bytesOf(new Float32Array([1]))) },
    ],
  });
}

/** image -> features -> output0 as YOLOv8 has it: a box for each of 16 cells, as sure as the cell is bright. */
export function detectorModel(): Uint8Array {
  const cells = Array.from({ length: 16 }, (_, cell) => [4 * (cell % 4) + 2, 4 * Math.floor(cell / 4) + 2, 4, 4]);
  const places = Float32Array.from([0, 1, 2, 3].flatMap((row) => cells.map((cell) => cell[row] as number)));
  return buildModel({
    nodes: [
      { op: 'Relu', inputs: ['image'], outputs: ['features'] },
      {
        op: 'AveragePool',
        inputs: ['features'],
        outputs: ['cells'],
        attributes: { kernel_shape: [4, 4], strides: [4, 4] },
      },
      { op: 'ReduceMean', inputs: ['cells'], outputs: ['bright'], attributes: { axes: [1], keepdims: 1 } },
      { op: 'Reshape', inputs: ['bright', 'row'], outputs: ['scores'] },
      { op: 'Concat', inputs: ['places', 'scores'], outputs: ['output0'], attributes: { axis: 1 } },
    ],
    inputs: [{ name: 'image', dtype: 'float32', shape: [1, 3, SIDE, SIDE] }],
    outputs: [{ name: 'output0', dtype: 'float32', shape: [1, 5, 16] }],
    initializers: [
      { name: 'row', tensor: makeTensor('int64', [3], bytesOf(new BigInt64Array([1n, 1n, 16n]))) },
      { name: 'places', tensor: makeTensor('float32', [1, 4, 16], bytesOf(places)) },
    ],
  });
}

/** Grey pictures with noise; a defective one has a white square, which its mask marks. */
export async function writeParts(folder: string, good: number, defective: number): Promise<void> {
  for (let index = 0; index < good + defective; index++) {
    const isDefective = index >= good;
    const kind = isDefective ? (index % 2 === 0 ? 'stain' : 'dent') : 'good';
    const data = new Uint8Array(SIDE * SIDE * 3);
    const mask = new Uint8Array(SIDE * SIDE * 3);
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
      const x = pixel % SIDE;
      const y = Math.floor(pixel / SIDE);
      const isWhite = isDefective && x >= index % 8 && x < (index % 8) + 6 && y >= 3 && y < 9;
      data.fill(isWhite ? 240 : 40 + ((pixel * 7 + index * 13) % 20), pixel * 3, pixel * 3 + 3);
      if (isWhite) mask.fill(255, pixel * 3, pixel * 3 + 3);
    }
    const name = String(index).padStart(4, '0');
    await put(folder, `test/${kind}/${name}.png`, await encodePng({ width: SIDE, height: SIDE, data }));
    if (isDefective) {
      const bytes = await encodePng({ width: SIDE, height: SIDE, data: mask });
      await put(folder, `ground_truth/${kind}/${name}_mask.png`, bytes);
    }
  }
}

export async function put(folder: string, name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

/** Runs a command in this process. @returns what it printed. */
export async function kerf(name: string, ...argv: readonly string[]): Promise<string> {
  const command = await findCommand(name);
  const lines: string[] = [];
  await command.run(parseCommandLine(command, argv), { print: (line) => lines.push(line) });
  return lines.join('\n');
}
