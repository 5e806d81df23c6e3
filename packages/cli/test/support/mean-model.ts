// A small model of pictures -> their mean as a score; or one that never comes back.
import { buildModel } from '@kerf/onnx';
import { bytesOf, makeTensor } from '@kerf/protocol';

export const SIDE = 8;
export const SHAPE = [1, 3, SIDE, SIDE];
/** Turns that no machine ever gets through. */
export const FOREVER = 2n ** 62n;

/** The mean of a picture as a score, with thresholds noted; with `turns`, a loop over it first. */
export function meanModel(turns: bigint | null): Uint8Array {
  const loop = {
    op: 'Loop',
    inputs: ['turns', '', 'x'],
    outputs: ['looped'],
    attributes: {
      body: {
        graph: {
          name: 'body',
          nodes: [
            { op: 'Identity', inputs: ['go'], outputs: ['on'] },
            { op: 'Identity', inputs: ['carried'], outputs: ['kept'] },
          ],
          inputs: [
            { name: 'turn', dtype: 'int64' as const, shape: [] },
            { name: 'go', dtype: 'bool' as const, shape: [] },
            { name: 'carried', dtype: 'float32' as const, shape: SHAPE },
          ],
          outputs: [
            { name: 'on', dtype: 'bool' as const, shape: [] },
            { name: 'kept', dtype: 'float32' as const, shape: SHAPE },
          ],
        },
      },
    },
  };
  return buildModel({
    metadata: { 'kerf.pass_below': '0.3', 'kerf.ng_above': '0.7' },
    nodes: [
      ...(turns === null ? [] : [loop]),
      {
        op: 'ReduceMean',
        inputs: [turns === null ? 'x' : 'looped'],
        outputs: ['score'],
        attributes: { keepdims: 0 },
      },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: SHAPE }],
    outputs: [{ name: 'score', dtype: 'float32', shape: [] }],
    initializers:
      turns === null ? [] : [{ name: 'turns', tensor: makeTensor('int64', [], bytesOf(BigInt64Array.of(turns))) }],
  });
}
