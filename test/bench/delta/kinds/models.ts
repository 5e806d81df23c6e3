// Pairs of small models whose tensors change in every way that was thought of.
import { buildModel } from '@kerf/onnx';
import type { MadePair } from './made-model.ts';
import { published } from './published.ts';
import { intoOtherTypes, requantised } from './quantised.ts';
import { randomOf, whole } from './random.ts';
import { shapes } from './shapes.ts';
import { tables } from './tables.ts';

/** Trees keep their numbers in attributes of a node, not in tensors. */
function trees(): MadePair[] {
  const forest = (change: number): Uint8Array => {
    const own = randomOf(8);
    const draw = randomOf(9 + change);
    const floats = (scale: number): number[] =>
      Array.from({ length: 6000 }, () => (draw() < change ? draw() : own()) * scale);
    return buildModel({
      nodes: [
        {
          op: 'TreeEnsembleRegressor',
          domain: 'ai.onnx.ml',
          inputs: ['x'],
          outputs: ['y'],
          attributes: {
            nodes_values: { floats: floats(10) },
            nodes_featureids: Array.from({ length: 6000 }, () => whole(30, own)),
            nodes_truenodeids: Array.from({ length: 6000 }, (_, at) => 2 * (at % 500) + 1),
            target_weights: { floats: floats(0.1) },
          },
        },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, 30] }],
      outputs: [{ name: 'y' }],
    });
  };
  const text = (change: number): Uint8Array => {
    const labels = Array.from({ length: 3000 }, (_, at) => `label_${at}_${at * (at < 3000 * (1 - change) ? 1 : 3)}`);
    return buildModel({
      nodes: [
        {
          op: 'LabelEncoder',
          domain: 'ai.onnx.ml',
          inputs: ['x'],
          outputs: ['y'],
          attributes: { keys_strings: labels },
        },
      ],
      outputs: [{ name: 'y' }],
    });
  };
  return [
    { name: 'trees, a twentieth drawn anew', extension: '.onnx', old: forest(0), fresh: forest(0.05) },
    { name: 'trees, all drawn anew', extension: '.onnx', old: forest(0), fresh: forest(1) },
    { name: 'label encoder, some labels changed', extension: '.onnx', old: text(0), fresh: text(0.1) },
  ];
}

export function modelPairs(): MadePair[] {
  return [
    ...requantised(0.005),
    ...requantised(0.1),
    ...intoOtherTypes(),
    ...published(),
    ...tables(),
    ...shapes(),
    ...trees(),
  ];
}
