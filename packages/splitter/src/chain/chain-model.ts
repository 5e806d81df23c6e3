// Loaded segments of a chain -> a prefix or a suffix that runs as one model, and a frame through both.
import {
  type ChainNames,
  divisionNames,
  KerfError,
  type LoadedModel,
  type Tensor,
  type TensorMap,
  type TensorSpec,
} from '@kerf/protocol';

/** The segments [from, until) of a chain as one model. Disposing of it does not dispose of the segments. */
export class ChainPart implements LoadedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #steps: readonly { readonly model: LoadedModel; readonly inputs: readonly string[] }[];

  constructor(chain: ChainNames, models: readonly LoadedModel[], from: number, until: number) {
    const before = divisionNames(chain, from);
    const behind = divisionNames(chain, until);
    const specs = new Map(chain.tensors.map((spec) => [spec.name, spec]));
    const spec = (name: string): TensorSpec => specs.get(name) ?? { name, dtype: null, shape: null };
    const made = new Set(chain.segments.slice(from, until).flatMap(({ outputs }) => outputs));
    const wanted = from === 0 ? behind.headInputs : before.tailInputs;
    const taken = new Set(chain.segments.slice(from, until).flatMap(({ inputs }) => inputs));
    this.inputs = wanted.filter((name) => taken.has(name)).map(spec);
    this.outputs = behind.headOutputs.filter((name) => made.has(name)).map(spec);
    this.#steps = chain.segments
      .slice(from, until)
      .map(({ inputs }, at) => ({ model: modelAt(models, from + at), inputs }));
  }

  /** @throws {KerfError} TENSOR_MISMATCH for an input that is missing, and what the segments throw. */
  async run(inputs: TensorMap): Promise<Map<string, Tensor>> {
    const values = pick(
      inputs,
      this.inputs.map(({ name }) => name),
    );
    for (const { model, inputs: names } of this.#steps) {
      for (const [name, tensor] of await model.run(pick(values, names))) values.set(name, tensor);
    }
    return pick(
      values,
      this.outputs.map(({ name }) => name),
    );
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}

function modelAt(models: readonly LoadedModel[], at: number): LoadedModel {
  const model = models[at];
  if (model === undefined) throw new KerfError('INVALID_ARGUMENT', `segment ${at} of the chain is not loaded`);
  return model;
}

/**
 * One frame through a chain divided before segment `at`: the edge runs what lies before, and nothing but the cut goes on.
 * @param edge segments by their place; those from `at` on are not used. @param cloud those before `at` are not used.
 * @returns every model output: from either side, else the model input of that name.
 * @throws {KerfError} INVALID_ARGUMENT for a division that is not there or a segment that is not loaded; TENSOR_MISMATCH.
 */
export async function runChain(
  chain: ChainNames,
  {
    edge,
    cloud,
    at,
  }: { readonly edge: readonly LoadedModel[]; readonly cloud: readonly LoadedModel[]; readonly at: number },
  inputs: TensorMap,
): Promise<Map<string, Tensor>> {
  const names = divisionNames(chain, at);
  const made = await new ChainPart(chain, edge, 0, at).run(pick(inputs, names.headInputs));
  const crossing = pick(new Map([...inputs, ...made]), names.cut);
  const results = await new ChainPart(chain, cloud, at, chain.segments.length).run(crossing);
  return pick(new Map([...inputs, ...made, ...results]), chain.modelOutputs);
}

function pick(from: TensorMap, names: readonly string[]): Map<string, Tensor> {
  const picked = new Map<string, Tensor>();
  for (const name of names) {
    const tensor = from.get(name);
    if (tensor !== undefined) picked.set(name, tensor);
  }
  return picked;
}
