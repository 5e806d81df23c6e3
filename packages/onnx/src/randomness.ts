// A node -> whether running it twice may give two results; such nodes are never constants and never duplicated.
import { functionLookup, functionsCalleesFirst } from './functions.ts';
import type { FunctionRecord, Model, NodeRecord } from './model.ts';
import { bodiesOf } from './scope.ts';

const RANDOM_OPS = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);

/** com.microsoft's training-mode dropouts and sampling decoders. */
const RANDOM_MICROSOFT_OPS = new Set(['BiasDropout', 'BitmaskBiasDropout', 'BitmaskDropout', 'Sampling']);

/** Place of `training_mode` among the inputs of Dropout since opset 12. */
const DROPOUT_TRAINING_MODE = 2;

/**
 * Tells random nodes from others, through bodies and local functions.
 * @throws {KerfError} MODEL_MALFORMED when functions are recursive.
 */
export function randomness(model: Model): (node: NodeRecord) => boolean {
  const lookup = functionLookup(model);
  const randomFunctions = new Set<FunctionRecord>();
  const isRandom = (node: NodeRecord): boolean => {
    const called = lookup(node);
    const itself = called === undefined ? isRandomOperator(node) : randomFunctions.has(called);
    return itself || bodiesOf(node).some((body) => body.nodes.some(isRandom));
  };
  for (const entry of functionsCalleesFirst(model, lookup)) {
    if (entry.nodes.some(isRandom)) randomFunctions.add(entry);
  }
  return isRandom;
}

function isRandomOperator(node: NodeRecord): boolean {
  if (node.domain === '') {
    if (RANDOM_OPS.has(node.opType)) return true;
    return node.opType === 'Dropout' && (node.inputs[DROPOUT_TRAINING_MODE] ?? '') !== '';
  }
  return node.domain === 'com.microsoft' && RANDOM_MICROSOFT_OPS.has(node.opType);
}
