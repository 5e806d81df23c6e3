// ONNX Runtime's JavaScript API (onnxruntime-node or onnxruntime-web, passed in) -> a Backend.
import type * as Ort from 'onnxruntime-common';
import type { Backend, LoadedModel, LoadOptions, ModelSource } from './backend.ts';
import { KerfError, messageOf } from './errors.ts';
import {
  bytesOf,
  checkTensors,
  type Dimension,
  decodeStrings,
  elementCount,
  isDType,
  makeTensor,
  stringTensor,
  type Tensor,
  type TensorMap,
  type TensorSpec,
  typedView,
} from './tensor.ts';

/** The part of an ONNX Runtime module that is used. */
export interface OrtModule {
  readonly InferenceSession: { readonly create: Ort.InferenceSessionFactory['create'] };
  readonly Tensor: Ort.TensorConstructor;
}

export interface OrtBackendOptions {
  /** For people and records, such as `onnxruntime-node/cpu`. */
  readonly name: string;
  readonly ort: OrtModule;
  /** Handed to ONNX Runtime as they are. The Node build does not fall back from one to the next. */
  readonly executionProviders: readonly Ort.InferenceSession.ExecutionProviderConfig[];
}

/** A {@link Backend} over one ONNX Runtime module. Runs are serialised: neither build runs two at once on one thread. */
export function ortBackend(options: OrtBackendOptions): Backend {
  const inTurn = serialise();
  const models = new Set<LoadedModel>();
  let closed = false;
  return {
    name: options.name,
    load: (source, loadOptions = {}) =>
      inTurn(async () => {
        if (closed) throw new KerfError('CLOSED', 'the backend was disposed of');
        const model = await loadModel(options, inTurn, source, loadOptions);
        models.add(model);
        return model;
      }),
    async dispose() {
      closed = true;
      await Promise.all([...models].map((model) => model.dispose()));
      models.clear();
    },
  };
}

/** What ONNX Runtime would log of a failed run is in the error that it throws. */
const FATAL_ONLY = 4;

type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

function serialise(): InTurn {
  let tail: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = tail.then(task);
    tail = result.catch(() => {});
    return result;
  };
}

async function loadModel(
  { ort, executionProviders }: OrtBackendOptions,
  inTurn: InTurn,
  source: ModelSource,
  { optimizationLevel = 'all', threads = 1, prepack = true }: LoadOptions,
): Promise<LoadedModel> {
  const sessionOptions: Ort.InferenceSession.SessionOptions = {
    executionProviders,
    graphOptimizationLevel: optimizationLevel,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: FATAL_ONLY,
    // Spinning threads burn a core between spaced frames and gain nothing on one thread.
    extra: { session: { intra_op: { allow_spinning: '0' }, ...(prepack ? {} : { disable_prepacking: '1' }) } },
    ...('bytes' in source && source.externalData ? { externalData: source.externalData } : {}),
  };
  let session: Ort.InferenceSession;
  try {
    session = await ('path' in source
      ? ort.InferenceSession.create(source.path, sessionOptions)
      : ort.InferenceSession.create(source.bytes, sessionOptions));
  } catch (cause) {
    throw providerMissing(cause) ?? refused(cause, source);
  }
  return new OrtModel(ort, session, inTurn);
}

/** What ONNX Runtime says where a provider cannot start at all -> what that means here. */
const MISSING_PROVIDERS: readonly (readonly [RegExp, string])[] = [
  [
    /AppendExecutionProvider_(\w+): Failed to load shared library/,
    "the files of the execution provider $1 are not installed, or a library that they need (CUDA, cuDNN, TensorRT) is not; docs/cloud-runtime.md, 'Providers', says how to get them",
  ],
  [/Failed to get a WebGPU adapter/, 'WebGPU finds no graphics adapter; it needs a GPU with a Vulkan driver'],
];

function providerMissing(cause: unknown): KerfError | null {
  for (const [pattern, meaning] of MISSING_PROVIDERS) {
    const found = pattern.exec(messageOf(cause));
    if (found === null) continue;
    const name = found[1]?.toLowerCase() ?? '';
    return new KerfError('BACKEND_UNAVAILABLE', meaning.replace('$1', `'${name}'`), { cause });
  }
  return null;
}

/** TensorProto.DataType numbers that the JavaScript API has no tensors of. */
const FOREIGN_TYPES: Readonly<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  23: 'float4e2m1',
};

function refused(cause: unknown, source: ModelSource): KerfError {
  const reason = withoutPaths(cause, source);
  const foreign = /^Unsupported data type: (\d+)/.exec(reason);
  if (foreign !== null) {
    const type = FOREIGN_TYPES[Number(foreign[1])] ?? `of ONNX's type ${foreign[1]}`;
    const told = `an input or output is ${type}, and ONNX Runtime's JavaScript takes and gives no such tensors`;
    return new KerfError('MODEL_UNSUPPORTED', told, { cause, details: { foreignType: type } });
  }
  return new KerfError('MODEL_UNSUPPORTED', `ONNX Runtime refuses the model: ${reason}`, { cause });
}

/**
 * ONNX Runtime puts the model's path and its own source line into messages; a message may travel further than they
 * should, and nobody reads them.
 */
function withoutPaths(error: unknown, source: ModelSource | null): string {
  const message = messageOf(error).replaceAll(/\S*\.(?:cc|cpp|h):\d+ \S.*?\) (?=\S)/g, '');
  return source !== null && 'path' in source ? message.replaceAll(source.path, 'the model') : message;
}

class OrtModel implements LoadedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #ort: OrtModule;
  readonly #inTurn: InTurn;
  #session: Ort.InferenceSession | null;

  constructor(ort: OrtModule, session: Ort.InferenceSession, inTurn: InTurn) {
    this.#ort = ort;
    this.#session = session;
    this.#inTurn = inTurn;
    this.inputs = session.inputMetadata.map(specOf);
    this.outputs = session.outputMetadata.map(specOf);
  }

  async run(inputs: TensorMap): Promise<TensorMap> {
    checkTensors(inputs, this.inputs);
    if (this.outputs.some(({ name }) => name === '__proto__')) throw lostOutput();
    return this.#inTurn(async () => {
      if (this.#session === null) throw new KerfError('CLOSED', 'the model was disposed of');
      let results: Ort.InferenceSession.ReturnType;
      try {
        const feeds: Record<string, Ort.Tensor> = Object.create(null) as Record<string, Ort.Tensor>;
        for (const [name, tensor] of inputs) feeds[name] = toOrt(this.#ort, tensor);
        results = await this.#session.run(feeds, { logSeverityLevel: FATAL_ONLY });
      } catch (error) {
        const unreturned = this.outputs.find(({ dtype }) => dtype === null);
        if (unreturned !== undefined && NO_TENSOR.test(messageOf(error))) throw notReturned(unreturned.name, error);
        throw new KerfError('BACKEND_FAILED', `ONNX Runtime failed: ${withoutPaths(error, null)}`, { cause: error });
      }
      const outputs = new Map<string, Tensor>();
      // A missing optional or a sequence has no tensor to give.
      for (const { name } of this.outputs) {
        const value = results[name];
        if (value !== undefined && 'dims' in value) outputs.set(name, await fromOrt(value, name));
      }
      return outputs;
    });
  }

  dispose(): Promise<void> {
    return this.#inTurn(async () => {
      const session = this.#session;
      this.#session = null;
      await session?.release();
    });
  }
}

/** What the builds say of a sequence, a map or an optional that they should hand out. */
const NO_TENSOR = /non[ -]tensor/i;

function notReturned(name: string, cause: unknown): KerfError {
  return new KerfError(
    'BACKEND_FAILED',
    `the output '${name}' is not a tensor but a sequence, a map or an optional, which ONNX Runtime's JavaScript cannot give back; take it out of the model's outputs`,
    { cause },
  );
}

/** The API sets outputs as properties of a plain object, where this one becomes the prototype. */
function lostOutput(): KerfError {
  return new KerfError(
    'MODEL_UNSUPPORTED',
    "ONNX Runtime's JavaScript API loses an output named '__proto__': rename it in the model",
  );
}

function toOrt(ort: OrtModule, tensor: Tensor): Ort.Tensor {
  const shape = [...tensor.shape];
  if (tensor.dtype === 'string') {
    return new ort.Tensor('string', decodeStrings(tensor.data, elementCount(shape)), shape);
  }
  return new ort.Tensor(tensor.dtype, typedView(tensor) as never, shape);
}

async function fromOrt(value: Ort.Tensor, name: string): Promise<Tensor> {
  if (!isDType(value.type)) {
    throw new KerfError(
      'MODEL_UNSUPPORTED',
      `output '${name}' has dtype ${String(value.type)}, which cannot be carried`,
    );
  }
  const data = await value.getData(true);
  return Array.isArray(data) ? stringTensor(value.dims, data) : makeTensor(value.type, value.dims, bytesOf(data));
}

function specOf(metadata: Ort.InferenceSession.ValueMetadata): TensorSpec {
  if (!metadata.isTensor) return { name: metadata.name, dtype: null, shape: null };
  return {
    name: metadata.name,
    dtype: isDType(metadata.type) ? metadata.type : null,
    // ONNX Runtime reports an unknown rank and a scalar alike as []; nothing can be checked against it.
    shape: metadata.shape.length === 0 ? null : metadata.shape.map(dimensionOf),
  };
}

/** Unknown dimensions are '' in the Node build and 2^32 - 1 in the web build. */
function dimensionOf(size: number | string): Dimension {
  if (typeof size === 'string') return size === '' ? null : size;
  return size < 0 || size === 0xffff_ffff ? null : size;
}
