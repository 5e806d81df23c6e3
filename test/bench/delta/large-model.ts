// A number of layers -> a model with its weights in a data file, and the next version of it, every weight moved a little.
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildModel } from '@kerf/onnx';
import { bytesOf, float32Tensor } from '@kerf/protocol';

/** float32[WIDTH, WIDTH] a layer: 49 MB. */
const WIDTH = 3500;
/** Of the weights' root mean square, as an update of some epochs leaves it. */
const CHANGE = 1e-3;
const SCALE = 0.02;

export const LAYER_BYTES = WIDTH * WIDTH * 4;

/** @param changed layers whose weights move; the others stay @returns paths of the two models */
export async function writeLargePair(folder: string, layers: number, changed: number): Promise<[string, string]> {
  const paths: string[] = [];
  for (const version of [0, 1]) {
    const place = join(folder, `v${version}`);
    await mkdir(place);
    paths.push(join(place, 'model.onnx'));
    await writeFile(join(place, 'model.onnx'), structure(layers));
    const data = await open(join(place, 'weights.bin'), 'w');
    for (let layer = 0; layer < layers; layer++) {
      await data.writeFile(bytesOf(weightsOf(layer, version === 1 && layer < changed)));
    }
    await data.close();
  }
  return paths as [string, string];
}

function structure(layers: number): Uint8Array {
  const names = Array.from({ length: layers }, (_, at) => `w${at}`);
  const shape = float32Tensor([WIDTH, WIDTH], new Float32Array(WIDTH * WIDTH));
  return buildModel({
    nodes: names.map((name, at) => ({
      op: 'MatMul',
      inputs: [at === 0 ? 'x' : `a${at - 1}`, name],
      outputs: [`a${at}`],
    })),
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, WIDTH] }],
    outputs: [{ name: `a${layers - 1}` }],
    initializers: names.map((name, at) => ({
      name,
      tensor: shape,
      external: { location: 'weights.bin', offset: at * LAYER_BYTES },
    })),
  });
}

/** About normal, by a generator that is fast enough for 100 million numbers. */
function weightsOf(layer: number, isMoved: boolean): Float32Array {
  const weights = new Float32Array(WIDTH * WIDTH);
  const old = normals(layer + 1);
  const noise = normals(layer + 1001);
  for (let at = 0; at < weights.length; at++) {
    weights[at] = SCALE * old();
    if (isMoved) weights[at] = (weights[at] as number) + SCALE * CHANGE * noise();
  }
  return weights;
}

function normals(seed: number): () => number {
  let state = Math.imul(seed, 0x9e37_79b1) | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
  return () => next() + next() + next();
}
