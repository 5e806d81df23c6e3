// Loaded segments -> one model that frames may enter before any of them, run one by one or in groups.
import {
  elementCount,
  KerfError,
  type LoadedModel,
  makeTensor,
  type Tensor,
  type TensorMap,
  type TensorSpec,
} from '@kerf/protocol';
import type { EntryNames, EntrySpecs, StackPlan } from './jobs.ts';

/** A frame on its way through the segments. */
export interface HostedFrame {
  readonly entry: number;
  readonly inputs: TensorMap;
}

export type HostedOutcome = { readonly outputs: TensorMap } | { readonly error: unknown };

/** How long a run took, and of which frames. */
export interface RunTime {
  readonly segment: number;
  readonly frames: readonly number[];
  readonly ms: number;
}

export interface HostedRun {
  readonly outcomes: readonly HostedOutcome[];
  readonly times: readonly RunTime[];
}

/** Values that a frame has so far; null once it has failed. */
interface Progress {
  readonly entry: number;
  readonly values: Map<string, Tensor>;
  readonly made: Map<string, Tensor>;
  error: unknown;
  failed: boolean;
}

export class HostedModel {
  readonly segmentSpecs: readonly EntrySpecs[];
  readonly entries: readonly EntrySpecs[];
  readonly #models: readonly LoadedModel[];

  /** @throws {KerfError} MANIFEST_INVALID when no segment knows a name. */
  constructor(models: readonly LoadedModel[], entries: readonly EntryNames[] | null) {
    this.#models = models;
    this.segmentSpecs = models.map(({ inputs, outputs }) => ({ inputs, outputs }));
    this.entries = entries?.map((names, at) => this.#specsOf(names, at)) ?? this.segmentSpecs;
  }

  /**
   * Runs frames through the segments behind their entries. A group of the plan runs at once where its tensors have equal
   * dtypes and equal shapes but for the first axis, else one by one. A group that fails fails for all of its frames.
   * @param plan null: every frame by itself.
   */
  async run(frames: readonly HostedFrame[], plan: StackPlan | null): Promise<HostedRun> {
    const all = frames.map(
      ({ entry, inputs }): Progress => ({
        entry,
        values: new Map(inputs),
        made: new Map(),
        error: null,
        failed: false,
      }),
    );
    const times: RunTime[] = [];
    for (const [segment, model] of this.#models.entries()) {
      for (const group of groupsIn(all, segment, plan?.[segment] ?? [])) {
        const members = group.map((index) => all[index] as Progress);
        const startMs = performance.now();
        await runGroup(model, members);
        times.push({ segment, frames: group, ms: performance.now() - startMs });
      }
    }
    return { outcomes: all.map((progress) => this.#outcomeOf(progress)), times };
  }

  #outcomeOf({ entry, made, failed, error }: Progress): HostedOutcome {
    if (failed) return { error };
    const outputs = new Map<string, Tensor>();
    for (const { name } of this.entries[entry]?.outputs ?? []) {
      const tensor = made.get(name);
      if (tensor !== undefined) outputs.set(name, tensor);
    }
    return { outputs };
  }

  #specsOf({ inputs, outputs }: EntryNames, at: number): EntrySpecs {
    const behind = this.segmentSpecs.slice(at);
    const find = (name: string, specs: readonly TensorSpec[]): TensorSpec => {
      const spec = specs.find((one) => one.name === name);
      if (spec === undefined) throw new KerfError('MANIFEST_INVALID', `no segment has the tensor '${name}'`);
      return spec;
    };
    return {
      inputs: inputs.map((name) =>
        find(
          name,
          behind.flatMap((segment) => segment.inputs),
        ),
      ),
      outputs: outputs.map((name) =>
        find(
          name,
          behind.flatMap((segment) => segment.outputs),
        ),
      ),
    };
  }
}

/** The plan's groups less what has failed, then every other frame that has entered, by itself. */
function groupsIn(all: readonly Progress[], segment: number, planned: readonly (readonly number[])[]): number[][] {
  const isHere = (index: number): boolean => {
    const progress = all[index];
    return progress !== undefined && progress.entry <= segment && !progress.failed;
  };
  const groups = planned.map((group) => group.filter(isHere)).filter((group) => group.length > 0);
  const grouped = new Set(groups.flat());
  const single = [...all.keys()].filter((index) => isHere(index) && !grouped.has(index)).map((index) => [index]);
  return [...groups, ...single];
}

async function runGroup(model: LoadedModel, members: readonly Progress[]): Promise<void> {
  const inputs = members.map(({ values }) => pick(values, model.inputs));
  if (members.length > 1 && mayStack(inputs)) {
    try {
      const outputs = slice(await model.run(stack(inputs)), inputs.map(rowsOf));
      members.forEach((member, index) => take(member, outputs[index] as TensorMap));
    } catch (error) {
      for (const member of members) fail(member, error);
    }
    return;
  }
  for (const [index, member] of members.entries()) {
    try {
      take(member, await model.run(inputs[index] as TensorMap));
    } catch (error) {
      fail(member, error);
    }
  }
}

function take(member: Progress, outputs: TensorMap): void {
  for (const [name, tensor] of outputs) {
    member.values.set(name, tensor);
    member.made.set(name, tensor);
  }
}

function fail(member: Progress, error: unknown): void {
  member.failed = true;
  member.error = error;
  member.values.clear();
  member.made.clear();
}

function pick(values: TensorMap, specs: readonly TensorSpec[]): Map<string, Tensor> {
  const picked = new Map<string, Tensor>();
  for (const { name } of specs) {
    const tensor = values.get(name);
    if (tensor !== undefined) picked.set(name, tensor);
  }
  return picked;
}

/** Rows of a frame: the first axis, equal for all of its inputs; -1 where there is none. */
function rowsOf(frame: TensorMap): number {
  const rows = [...frame.values()].map((tensor) => tensor.shape[0]);
  const [first] = rows;
  return first === undefined || rows.some((count) => count !== first) ? -1 : first;
}

/** Whether the frames differ in nothing but their rows. */
function mayStack(frames: readonly TensorMap[]): boolean {
  const [first] = frames;
  return frames.every(
    (frame) =>
      rowsOf(frame) > 0 &&
      frame.size === first?.size &&
      [...first].every(([name, { dtype, shape }]) => {
        const other = frame.get(name);
        return (
          other?.dtype === dtype &&
          other.shape.length === shape.length &&
          shape.every((size, axis) => axis === 0 || size === other.shape[axis])
        );
      }),
  );
}

function stack(frames: readonly TensorMap[]): TensorMap {
  const stacked = new Map<string, Tensor>();
  for (const [name, first] of frames[0] ?? []) {
    const parts = frames.map((frame) => frame.get(name) as Tensor);
    const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
    stacked.set(name, makeTensor(first.dtype, [rows, ...first.shape.slice(1)], joined(parts.map((part) => part.data))));
  }
  return stacked;
}

/** One view where the parts already lie side by side, else a copy. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  let end = first?.byteOffset ?? 0;
  for (const part of parts) {
    if (part.buffer !== first?.buffer || part.byteOffset !== end) return Buffer.concat(parts);
    end += part.byteLength;
  }
  return first === undefined
    ? new Uint8Array(0)
    : new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset);
}

function slice(outputs: TensorMap, rows: readonly number[]): TensorMap[] {
  const total = rows.reduce((sum, count) => sum + count, 0);
  const frames = rows.map(() => new Map<string, Tensor>());
  for (const [name, tensor] of outputs) {
    const rowBytes = tensor.data.byteLength / total;
    const isSliceable = tensor.shape[0] === total && tensor.dtype !== 'string' && !tensor.dtype.endsWith('int4');
    if (!isSliceable || elementCount(tensor.shape) === 0) {
      throw new KerfError('BACKEND_FAILED', `output '${name}' does not grow with the first axis`);
    }
    let at = 0;
    for (const [index, count] of rows.entries()) {
      const data = tensor.data.subarray(at, at + count * rowBytes);
      frames[index]?.set(name, makeTensor(tensor.dtype, [count, ...tensor.shape.slice(1)], data));
      at += count * rowBytes;
    }
  }
  return frames;
}
