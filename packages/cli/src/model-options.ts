// Options that every command on a model file shares: dimensions and the runtime to ask.
import { nodeBackend } from '@kerf/edge-runtime/node';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import { type Backend, systemClock, type TensorMap } from '@kerf/protocol';
import { checkBindings, type DimensionBindings, findInputs, type InputShapes, mergeSpec } from '@kerf/splitter';
import { type CommandLine, type OptionSpec, usageError } from './command.ts';

export const DIM_OPTION: Readonly<Record<string, OptionSpec>> = {
  dim: { type: 'string', multiple: true, value: 'NAME=N', help: 'size of an open dimension; may be repeated' },
};

/** @throws {KerfError} INVALID_ARGUMENT. */
export function dimensions(line: CommandLine): DimensionBindings {
  const bound: Record<string, number> = {};
  for (const text of line.texts('dim')) {
    // The name may hold an equals sign; the size cannot.
    const at = text.lastIndexOf('=');
    const size = at < 1 ? Number.NaN : Number(text.slice(at + 1));
    if (!Number.isSafeInteger(size) || size < 0 || text.slice(at + 1) === '') {
      throw usageError(`--dim must be NAME=N with a whole number, got '${text}'`);
    }
    bound[text.slice(0, at)] = size;
  }
  return bound;
}

/** ONNX Runtime on the CPU in this thread, for as long as `use` takes. */
export async function withCpu<T>(use: (backend: Backend) => Promise<T>): Promise<T> {
  const backend = await nodeBackend({ runtime: 'onnxruntime-node', inThisThread: true });
  try {
    return await use(backend);
  } finally {
    await backend.dispose();
  }
}

/**
 * True when an input leaves a dimension open that `dims` does not bind.
 * @throws {KerfError} INVALID_ARGUMENT when `dims` binds one that no input has.
 */
export function hasOpenDimensions(model: ModelFile, dims: DimensionBindings): boolean {
  const shapes = model.graph.inputs.map((name) => {
    const type = model.graph.types.get(name);
    return { shape: type?.kind === 'tensor' ? type.shape : null };
  });
  checkBindings(shapes, dims);
  const isOpen = (size: number | string | null): boolean =>
    size === null || (typeof size === 'string' && !Object.hasOwn(dims, size));
  return shapes.some(({ shape }) => shape === null || shape.some(isOpen));
}

/**
 * Input shapes that the model was seen to run on, for open dimensions.
 * @throws {KerfError} INVALID_ARGUMENT when none was found, MODEL_UNSUPPORTED.
 */
export async function runnableShapes(
  model: ModelFile,
  backend: Backend,
  dims: DimensionBindings,
  inputs: TensorMap = new Map(),
): Promise<InputShapes> {
  const whole = await backend.load({ path: model.path }, { optimizationLevel: 'basic' });
  try {
    const specs = whole.inputs.map((spec) => mergeSpec(model.graph, spec.name, spec));
    const sampler = await findInputs(whole, { specs, dims, inputs, clock: systemClock });
    return new Map([...sampler.sample(0)].map(([name, { shape }]) => [name, shape]));
  } finally {
    await whole.dispose();
  }
}

/** Opens the model named by the first positional argument. */
export function openNamedModel(line: CommandLine): Promise<ModelFile> {
  return openModelFile(line.positional(0));
}
