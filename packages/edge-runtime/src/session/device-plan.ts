// The models on the device and the manifest -> what crosses, what comes back, and what the device can run itself.
import {
  describeTensor,
  KerfError,
  type LevelTable,
  type LoadedModel,
  type Open,
  type Opened,
  type SplitManifest,
  type Tensor,
  type TensorMap,
  type TensorSpec,
} from '@kerf/protocol';
import { type CodingOptions, CutCodecs, type CutPayload } from './cut-codecs.ts';
import { type FrameInput, type FrameInputs, isImage, tensorsOf } from './inputs.ts';

export interface DeviceModels {
  readonly split: SplitManifest | null;
  readonly head: LoadedModel | null;
  /** Level tables of the split's codec by id; needed when it has some. */
  readonly tables?: ReadonlyMap<string, LevelTable>;
  /** What the device holds for the time without a cloud, or instead of one. */
  readonly local: { readonly tail?: LoadedModel; readonly whole?: LoadedModel } | null;
  /**
   * What names the whole model whose answers are wanted (`modelIdentity`): of several releases the cloud opens that one, and one
   * that holds another under the name is refused. @default any model of the name will do
   */
  readonly identity?: string | null;
}

/** How frames run on this device; nothing in here waits or knows of a link. */
export class DevicePlan {
  private readonly split: SplitManifest | null;
  private readonly head: LoadedModel | null;
  private readonly tail: LoadedModel | null;
  private readonly whole: LoadedModel | null;
  private readonly identity: string | null;
  private readonly codecs: CutCodecs;

  /** @throws {KerfError} INVALID_ARGUMENT, PAIR_MISMATCH. */
  constructor({ split, head, tables, local, identity }: DeviceModels, hasCloud: boolean, coding: CodingOptions) {
    this.split = split;
    this.head = head;
    this.tail = local?.tail ?? null;
    this.whole = local?.whole ?? null;
    this.identity = identity ?? null;
    this.codecs = new CutCodecs(split, tables, coding);
    if ((split === null) !== (head === null)) throw invalid('a head needs its split manifest, and a manifest its head');
    if (this.tail !== null && split === null) throw invalid('a local tail needs a head and its split manifest');
    if (!hasCloud && !this.canRunAlone)
      throw invalid('without a cloud the device needs the whole model or head and tail');
    if (split !== null && head !== null) {
      checkNames('head inputs', head.inputs, split.headInputs);
      checkNames('head outputs', head.outputs, split.headOutputs);
      if (this.tail !== null) checkNames('tail inputs', this.tail.inputs, split.tailInputs);
    }
  }

  get hasHead(): boolean {
    return this.head !== null;
  }

  /** True when frames can be finished without a cloud. */
  get canRunAlone(): boolean {
    return this.tail !== null || this.whole !== null;
  }

  /** True when the device can finish this frame: an image without `toTensor` only the cloud can read. */
  canFinish(inputs: FrameInputs): boolean {
    if (this.tail !== null) return true;
    return (
      this.whole !== null && [...inputs.values()].every((input) => !isImage(input) || input.toTensor !== undefined)
    );
  }

  /** True when the device can run a frame whose head has failed. */
  get hasWhole(): boolean {
    return this.whole !== null;
  }

  /** What `infer` takes; null when only the cloud knows. */
  get inputSpecs(): readonly TensorSpec[] | null {
    if (this.split === null || this.head === null) return this.whole?.inputs ?? null;
    const declared = new Map<string, TensorSpec>(this.split.tensors.map((tensor) => [tensor.name, tensor]));
    for (const spec of this.head.inputs) declared.set(spec.name, spec);
    return this.split.modelInputs.map((name) => declared.get(name) ?? { name, dtype: null, shape: null });
  }

  /** An image reaches only a cloud: a head needs the pixels. @throws {KerfError} INVALID_ARGUMENT. */
  checkImages(inputs: FrameInputs): void {
    if (this.head === null) return;
    for (const [name, input] of inputs) {
      if (isImage(input)) throw invalid(`'${name}' is an encoded image, and the head needs a tensor`);
    }
  }

  async runHead(inputs: FrameInputs): Promise<TensorMap> {
    if (this.head === null || this.split === null) return new Map();
    return this.head.run(pick(inputs as TensorMap, this.split.headInputs));
  }

  /** What crosses the link, coded as the split says. @throws {KerfError} ACTIVATION_NOT_FINITE, TENSOR_MISMATCH. */
  payloads(inputs: FrameInputs, headOutputs: TensorMap): CutPayload[] {
    const available: FrameInputs = new Map<string, FrameInput>([...inputs, ...headOutputs]);
    const names = this.split?.tailInputs ?? inputs.keys();
    return [...names].map((name) => this.codecs.payloadOf(name, need(available, name)));
  }

  /** The model's outputs in its order: some from the tail, some the head made, some are inputs. */
  outputs(inputs: FrameInputs, headOutputs: TensorMap, answered: TensorMap): TensorMap {
    if (this.split === null) return answered;
    const all = new Map<string, FrameInput>([...inputs, ...headOutputs, ...answered]);
    return pick(all as Map<string, Tensor>, this.split.modelOutputs);
  }

  /** Finishes a frame on the device, from the head's outputs where there are any. @throws {KerfError}. */
  async finish(inputs: FrameInputs, headOutputs: TensorMap | null): Promise<TensorMap> {
    if (this.tail !== null && this.split !== null && (headOutputs !== null || this.whole === null)) {
      const fromHead = headOutputs ?? (await this.runHead(inputs));
      const available = new Map<string, FrameInput>([...inputs, ...fromHead]) as Map<string, Tensor>;
      return this.outputs(inputs, fromHead, await this.tail.run(pick(available, this.split.tailInputs)));
    }
    if (this.whole === null)
      throw new KerfError('BACKEND_UNAVAILABLE', 'the device does not hold the rest of the model');
    return this.whole.run(await tensorsOf(inputs));
  }

  /** What the cloud is asked for. @param pair names the rest of a model; null for a whole one */
  wanted(pair: string | null): Pick<Open, 'pair' | 'identity'> {
    return { pair, ...(pair === null && this.identity !== null && { identity: this.identity }) };
  }

  /** Checks what the cloud opened. @throws {KerfError} PAIR_MISMATCH. */
  checkOpened({ inputs, identity }: Pick<Opened, 'inputs' | 'identity'>): void {
    if (this.split !== null) return checkNames("the cloud's inputs", inputs, this.split.tailInputs);
    // A cloud of an earlier version does not say what it opened.
    if (this.identity === null || identity === undefined || identity === this.identity) return;
    throw new KerfError(
      'PAIR_MISMATCH',
      'the cloud holds another model under this name than this device; give both the same one, or use a name for each',
    );
  }

  /**
   * The tensors that an answer is to hold, and no others, checked against what this device knows of them.
   * @param opened what the cloud says of them, for want of better
   * @throws {KerfError} MESSAGE_MALFORMED naming the output.
   */
  checkAnswer(answer: TensorMap, opened: readonly TensorSpec[]): TensorMap {
    const specs = this.answerSpecs ?? opened;
    // Exports often state the sizes of one traced run; where an input may have any size, those of outputs need not hold.
    const isFixed = this.inputSpecs?.every(isFixedShape) === true;
    return new Map(specs.map((spec) => [spec.name, checkOutput(answer.get(spec.name), spec, isFixed)]));
  }

  /** What the cloud is to answer, by this device's own files; null where it has none. */
  private get answerSpecs(): readonly TensorSpec[] | null {
    if (this.split === null) return this.identity === null ? null : (this.whole?.outputs ?? null);
    const declared = new Map(this.split.tensors.map((tensor) => [tensor.name, tensor]));
    return this.split.tailOutputs.map((name) => declared.get(name) ?? { name, dtype: null, shape: null });
  }
}

function isFixedShape({ shape }: TensorSpec): boolean {
  return shape?.every((size) => typeof size === 'number') === true;
}

function checkOutput(tensor: Tensor | undefined, spec: TensorSpec, isFixed: boolean): Tensor {
  const { name, dtype, shape } = spec;
  const fits =
    tensor !== undefined &&
    (dtype === null || tensor.dtype === dtype) &&
    (shape === null ||
      (tensor.shape.length === shape.length &&
        shape.every((size, axis) => !isFixed || typeof size !== 'number' || size === tensor.shape[axis])));
  if (fits) return tensor;
  const got = tensor === undefined ? 'no such output' : describeTensor(tensor);
  const message = `the cloud's answer for '${name}' is ${got}, the model gives ${describeTensor(spec)}`;
  throw new KerfError('MESSAGE_MALFORMED', message);
}

function need<T>(tensors: ReadonlyMap<string, T>, name: string): T {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new KerfError('TENSOR_MISMATCH', `tensor '${name}' is missing`);
  return tensor;
}

function pick<T>(tensors: ReadonlyMap<string, T>, names: readonly string[]): Map<string, T> {
  return new Map(names.map((name) => [name, need(tensors, name)]));
}

function checkNames(what: string, specs: readonly TensorSpec[], names: readonly string[]): void {
  const found = new Set(specs.map(({ name }) => name));
  if (found.size !== names.length || !names.every((name) => found.has(name))) {
    throw new KerfError(
      'PAIR_MISMATCH',
      `${what} are [${[...found].join(', ')}], split.json says [${names.join(', ')}]`,
    );
  }
}

function invalid(message: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', message);
}
