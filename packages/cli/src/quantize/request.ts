// The command line of `kerf quantize` -> what is wanted, checked before anything is read.
import { RANGE_METHODS, type RangeMethod } from '@kerf/splitter';
import { type CommandLine, type OptionSpec, usageError } from '../command.ts';
import { DIM_OPTION } from '../model-options.ts';

export const FORMS = ['fp16', 'weights', 'dynamic', 'static'] as const;
export type Form = (typeof FORMS)[number];

const METHODS = ['auto', ...RANGE_METHODS] as const;

export interface QuantizeRequest {
  /** `cut`: only the value at a cut, inside the graph. */
  readonly form: Form | 'cut';
  /** As the command line has them: names, lists with commas, JSON arrays. */
  readonly at: readonly string[];
  readonly perChannel: boolean;
  readonly elementwise: boolean;
  readonly method: RangeMethod | 'auto';
  readonly percentile: number | undefined;
  /** Points; null where the command line does not say. */
  readonly maxLossPoints: number | null;
  readonly fullRange: boolean;
  readonly out: string;
  readonly force: boolean;
  readonly runtime: 'node' | 'wasm';
  readonly provider: string | undefined;
  readonly threads: number;
}

export const FORM_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  form: { type: 'string', value: 'FORM', help: FORMS.join(', ') },
  'cut-only': { type: 'boolean', help: 'instead of a form: only the value of --at becomes uint8, inside the graph' },
  at: { type: 'string', multiple: true, value: 'NAMES', help: 'with --cut-only, the values, as kerf split takes them' },
  'per-channel': { type: 'boolean', help: 'with --cut-only, a scale for each channel (axis 1)' },
  elementwise: {
    type: 'boolean',
    help: 'with --cut-only, Mul, Add, Floor, Clip and Cast, which WebGPU runs, for QuantizeLinear',
  },
  method: {
    type: 'string',
    value: 'NAME',
    help: `static: ranges by ${METHODS.join(', ')} (default auto)`,
  },
  percentile: {
    type: 'string',
    value: 'P',
    help: 'static: share of the values that `percentile` covers (default 99.99)',
  },
  'max-loss': {
    type: 'string',
    value: 'N',
    help: 'static: nodes stay in float32 until the loss is at most N points (default 1 with labels)',
  },
  'full-range': {
    type: 'boolean',
    help: 'weights use all of int8: for processors with VNNI or ARM only; others cut sums off',
  },
};

export const RUN_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  out: { type: 'string', value: 'FILE', help: 'the file to write (default MODEL-FORM.onnx)' },
  force: { type: 'boolean', help: 'replace a file that is there' },
  test: { type: 'string', value: 'DIR', help: 'samples to measure the loss on (default: half of --samples)' },
  runtime: { type: 'string', value: 'NAME', help: 'node or wasm: what calibrates and is timed (default node)' },
  provider: { type: 'string', value: 'NAME', help: 'execution provider of the runtime (default cpu, or wasm)' },
  threads: { type: 'string', value: 'N', help: 'threads of one operator (default 1)' },
  ...DIM_OPTION,
};

/** Options that mean something for some forms only. */
const ONLY: Readonly<Record<string, readonly QuantizeRequest['form'][]>> = {
  at: ['cut'],
  'per-channel': ['cut'],
  elementwise: ['cut'],
  method: ['static'],
  percentile: ['static'],
  'max-loss': ['static'],
  'full-range': ['static', 'dynamic'],
};

/** @throws {KerfError} INVALID_ARGUMENT. */
export function quantizeRequest(line: CommandLine): QuantizeRequest {
  const isCut = line.flag('cut-only');
  const named = line.text('form');
  if (isCut === (named !== undefined)) {
    throw usageError(`give --form ${FORMS.join('|')}, or --cut-only --at TENSOR`);
  }
  const form = isCut ? 'cut' : line.choice('form', FORMS, 'static');
  const stray = Object.entries(ONLY).find(
    ([name, forms]) => (line.flag(name) || line.text(name) !== undefined) && !forms.includes(form),
  );
  if (stray !== undefined) {
    const what = isCut ? '--cut-only' : `--form ${form}`;
    throw usageError(`--${stray[0]} has no meaning with ${what}`);
  }
  if (isCut && line.texts('at').length === 0) throw usageError('--at is needed: tensor names as kerf cuts shows them');
  const method = line.choice('method', METHODS, 'auto');
  if (line.text('percentile') !== undefined && method !== 'percentile' && method !== 'auto') {
    throw usageError(`--percentile is for --method percentile, not ${method}`);
  }
  return {
    form,
    at: line.texts('at'),
    perChannel: line.flag('per-channel'),
    elementwise: line.flag('elementwise'),
    method,
    percentile:
      line.text('percentile') === undefined
        ? undefined
        : line.number('percentile', 0, { least: 50, most: 100, whole: false }),
    maxLossPoints: line.text('max-loss') === undefined ? null : line.number('max-loss', 0, { most: 100, whole: false }),
    fullRange: line.flag('full-range'),
    out: line.text('out') ?? defaultOut(line.positional(0), form),
    force: line.flag('force'),
    runtime: line.choice('runtime', ['node', 'wasm'] as const, 'node'),
    provider: line.text('provider'),
    threads: line.number('threads', 1, { least: 1, most: 256 }),
  };
}

const ENDINGS = { fp16: 'fp16', weights: 'weights', dynamic: 'dynamic', static: 'int8', cut: 'cut' } as const;

/** `folder/part.onnx` -> `part-int8.onnx` in the working folder. */
function defaultOut(model: string, form: QuantizeRequest['form']): string {
  const name = (model.split(/[/\\]/).at(-1) ?? model).replace(/\.onnx$/i, '');
  return `${name}-${ENDINGS[form]}.onnx`;
}
