// An operator -> whether it runs in float16, with which of its inputs, or why it stays in float32.

/** Which inputs turn into float16; the outputs are all of that type, but for indices behind the first. */
export interface Float16Rule {
  /** Null: all of them. */
  readonly inputs: readonly number[] | null;
  /** Moves values without computing: worth it only where they are float16 already. */
  readonly moves: boolean;
}

const ALL: Float16Rule = { inputs: null, moves: false };
const MOVES: Float16Rule = { inputs: [0], moves: true };

const RULES: ReadonlyMap<string, Float16Rule> = new Map<string, Float16Rule>([
  ...[
    'Abs',
    'Add',
    'AveragePool',
    'BatchNormalization',
    'Celu',
    'Clip',
    'Conv',
    'ConvTranspose',
    'Div',
    'Elu',
    'Erf',
    'Floor',
    'Gelu',
    'Gemm',
    'GlobalAveragePool',
    'GlobalMaxPool',
    'HardSigmoid',
    'HardSwish',
    'LeakyRelu',
    'MatMul',
    'Max',
    'MaxPool',
    'Min',
    'Mul',
    'Neg',
    'PRelu',
    'Relu',
    'Selu',
    'Sigmoid',
    'Softmax',
    'Softplus',
    'Softsign',
    'Sub',
    'Sum',
    'Tanh',
    'ThresholdedRelu',
  ].map((op) => [op, ALL] as const),
  ...[
    'DepthToSpace',
    'Expand',
    'Flatten',
    'Gather',
    'GatherElements',
    'GatherND',
    'Identity',
    'Resize',
    'Reshape',
    'Slice',
    'SpaceToDepth',
    'Split',
    'Squeeze',
    'Tile',
    'Transpose',
    'Unsqueeze',
    'ReduceMax',
    'ReduceMin',
  ].map((op) => [op, MOVES] as const),
  ['Concat', { inputs: null, moves: true }],
  ['Pad', { inputs: [0, 2], moves: true }],
  ['Where', { inputs: [1, 2], moves: true }],
  ['Scatter', { inputs: [0, 2], moves: true }],
  ['ScatterElements', { inputs: [0, 2], moves: true }],
  ['ScatterND', { inputs: [0, 2], moves: true }],
]);

const SUMS = 'sums and powers leave the range of float16, or lose what is added';
const STATISTICS = 'mean and variance over many values need more than the 11 bits of float16';
const PLACES = 'places, sizes and ranks need more than the 11 bits of float16';
const RECURRENT = 'a recurrence adds up the rounding of every step';
const COMPARES = 'the answer is no number, and rounding would change it';

const REASONS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'CumSum',
      'Exp',
      'GlobalLpPool',
      'LRN',
      'Log',
      'LogSoftmax',
      'LpNormalization',
      'LpPool',
      'Pow',
      'Reciprocal',
      'ReduceL1',
      'ReduceL2',
      'ReduceLogSum',
      'ReduceLogSumExp',
      'ReduceProd',
      'ReduceSum',
      'ReduceSumSquare',
      'Sqrt',
      'Einsum',
    ].map((op) => [op, SUMS]),
  ),
  ...Object.fromEntries(
    [
      'GroupNormalization',
      'InstanceNormalization',
      'LayerNormalization',
      'MeanVarianceNormalization',
      'ReduceMean',
      'RMSNormalization',
    ].map((op) => [op, STATISTICS]),
  ),
  ...Object.fromEntries(
    ['AffineGrid', 'GridSample', 'MaxRoiPool', 'NonMaxSuppression', 'Range', 'RoiAlign', 'TopK', 'Upsample'].map(
      (op) => [op, PLACES],
    ),
  ),
  ...Object.fromEntries(['GRU', 'LSTM', 'RNN', 'Scan'].map((op) => [op, RECURRENT])),
  ...Object.fromEntries(
    ['ArgMax', 'ArgMin', 'Equal', 'Greater', 'GreaterOrEqual', 'IsInf', 'IsNaN', 'Less', 'LessOrEqual', 'NonZero'].map(
      (op) => [op, COMPARES],
    ),
  ),
  DequantizeLinear: 'it is quantised already',
  QuantizeLinear: 'it is quantised already',
  DynamicQuantizeLinear: 'it is quantised already',
};

/** The rule, or the reason for float32. */
export function float16Rule(domain: string, opType: string): Float16Rule | string {
  if (domain !== '') return `operators of '${domain}' are not known to run in float16`;
  return RULES.get(opType) ?? REASONS[opType] ?? 'the operator is not known to run in float16';
}
