// A planned cut and a backend -> head and tail that the runtime was seen to load, with the types of what crosses.

import { type ExtractedModel, extract, type ModelGraph, shorten, type ValueType } from '@kerf/onnx';
import {
  type Backend,
  KerfError,
  messageOf,
  type OptimizationLevel,
  SPLIT_FORMAT,
  type SplitManifest,
  type SplitPart,
  type SplitTensor,
  type TensorSpec,
} from '@kerf/protocol';
import { checkCrossingName } from './carried-names.ts';
import { extractHollow, inspectedSpecs } from './inspect-model.ts';
import { canCross } from './list-cuts.ts';
import type { ModelHost } from './model-host.ts';
import type { CutPlan } from './plan-cut.ts';
import { sha256Hex } from './sha256.ts';
import { mergeSpec, valueTypeOf } from './value-types.ts';

/** How one side is extracted; the writer repeats it with the name of its data file. */
export interface SideRecipe {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly types: ReadonlyMap<string, ValueType | null>;
  /** Nodes that depend on an input. */
  readonly nodes: number;
}

export interface SplitModels {
  readonly plan: CutPlan;
  readonly head: SideRecipe;
  readonly tail: SideRecipe;
  /** dtype and shape of every input, output and crossing tensor. */
  readonly tensors: readonly SplitTensor[];
}

/** The level that both runtimes use by default, then the one that changes least. */
export const LOAD_LEVELS: readonly OptimizationLevel[] = ['all', 'disabled'];

/** The cheapest first: 'basic' infers the shapes that 'all' does, but computes what follows from weights alone. */
const HOLLOW_LEVELS: readonly OptimizationLevel[] = ['disabled', 'basic', 'all'];

/**
 * Makes head and tail and loads both. Types of the crossing tensors are the runtime's own: the head is loaded with
 * untyped outputs first. Where the tail does not load with a shape, the shapes are dropped.
 * @throws {KerfError} MODEL_UNSUPPORTED with the runtime's reason, CUT_TYPE_UNSUPPORTED for a value that is no tensor.
 */
export async function splitModel(plan: CutPlan, backend: Backend, host: ModelHost): Promise<SplitModels> {
  const { graph, cut } = plan;
  const crossing = new Set(cut);
  const untyped = new Map(plan.headOutputs.filter((name) => crossing.has(name)).map((name) => [name, null]));
  const probe = { inputs: plan.headInputs, outputs: plan.headOutputs, types: untyped };
  const specs = await load(graph, probe, backend, host, 'head').catch((error: unknown) => {
    throw foreignCut(plan, error) ?? error;
  });
  const types = new Map<string, ValueType | null>();
  for (const name of plan.headOutputs) {
    if (crossing.has(name)) types.set(name, crossingType(graph, name, specs.get(name)));
  }
  const head = await typedHead(plan, types, backend, host);
  const tail = await typedTail(plan, types, backend, host);
  const tensors = collectTensors(plan, [specs, tail.specs], types);
  return {
    plan,
    head: { ...head, nodes: plan.head.length },
    tail: { ...tail.recipe, nodes: plan.tail.length },
    tensors,
  };
}

/** Where the head does not load for the type of a value that crosses: the model's own are declared, and are others. */
function foreignCut({ graph, cut, headInputs, headOutputs }: CutPlan, error: unknown): KerfError | null {
  const cause = error instanceof Error ? error.cause : undefined;
  const type = KerfError.is(cause) ? cause.details['foreignType'] : undefined;
  const own = [...headInputs, ...headOutputs.filter((name) => !cut.includes(name))];
  if (typeof type !== 'string' || own.some((name) => mergeSpec(graph, name, undefined).dtype === null)) return null;
  const crossing = headOutputs.filter((name) => cut.includes(name));
  const which = crossing.map((name) => `'${shorten(name)}'`).join(' or ');
  return new KerfError(
    'CUT_TYPE_UNSUPPORTED',
    `${which} is ${type}, and ONNX Runtime's JavaScript takes and gives no such tensors; cut elsewhere`,
    { cause: error, details: { tensor: crossing[0] } },
  );
}

type Recipe = Omit<SideRecipe, 'nodes'>;

/** Extracts one side of a split. */
export function extractSide(graph: ModelGraph, recipe: Recipe, externalFile: string): ExtractedModel {
  return extract(graph, { ...recipe, externalFile });
}

async function typedHead(
  plan: CutPlan,
  types: ReadonlyMap<string, ValueType | null>,
  backend: Backend,
  host: ModelHost,
): Promise<Recipe> {
  const recipe = { inputs: plan.headInputs, outputs: plan.headOutputs, types };
  try {
    await load(plan.graph, recipe, backend, host, 'head');
    return recipe;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const bare = { ...recipe, types: withoutShapes(types) };
    await load(plan.graph, bare, backend, host, 'head');
    return bare;
  }
}

async function typedTail(
  plan: CutPlan,
  types: ReadonlyMap<string, ValueType | null>,
  backend: Backend,
  host: ModelHost,
): Promise<{ recipe: Recipe; specs: ReadonlyMap<string, TensorSpec> }> {
  const recipe = { inputs: plan.tailInputs, outputs: plan.tailOutputs, types };
  try {
    return { recipe, specs: await load(plan.graph, recipe, backend, host, 'tail') };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const bare = { ...recipe, types: withoutShapes(types) };
    try {
      return { recipe: bare, specs: await load(plan.graph, bare, backend, host, 'tail') };
    } catch {
      // The first reason is about the model as it is.
      throw error;
    }
  }
}

export function isRefusal(error: unknown): boolean {
  return KerfError.is(error) && error.code === 'MODEL_UNSUPPORTED';
}

/** Inputs and outputs as the runtime types them. @throws {KerfError} MODEL_UNSUPPORTED. */
export async function load(
  graph: ModelGraph,
  recipe: Recipe,
  backend: Backend,
  host: ModelHost,
  side: string,
): Promise<Map<string, TensorSpec>> {
  const extracted = extractHollow(graph, host, recipe);
  let reason: unknown;
  let found: Map<string, TensorSpec> | null = null;
  for (const level of host.hollow === undefined ? LOAD_LEVELS : HOLLOW_LEVELS) {
    try {
      found = await inspectedSpecs({ host, backend, level }, graph, extracted);
      // A higher level may know more: shapes that constants make are not computed at 'disabled'.
      if (level !== 'disabled' || recipe.outputs.every((name) => isFixed(found?.get(name)))) return found;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      reason ??= error;
    }
  }
  if (found !== null) return found;
  throw new KerfError('MODEL_UNSUPPORTED', `the ${side} does not load: ${messageOf(reason)}`, { cause: reason });
}

function isFixed(spec: TensorSpec | undefined): boolean {
  return spec?.shape?.every((size) => typeof size === 'number') === true;
}

/** @throws {KerfError} CUT_TYPE_UNSUPPORTED. */
export function crossingType(graph: ModelGraph, name: string, spec: TensorSpec | undefined): ValueType {
  checkCrossingName(name);
  const merged = mergeSpec(graph, name, spec);
  const type = valueTypeOf(merged);
  if (type === null || !canCross(merged.dtype)) {
    throw new KerfError(
      'CUT_TYPE_UNSUPPORTED',
      `'${shorten(name)}' is not a dense tensor of a type that can cross (a sequence, an optional, bfloat16, float8, a 4-bit or complex type)`,
      { details: { tensor: name } },
    );
  }
  return type;
}

export function withoutShapes(types: ReadonlyMap<string, ValueType | null>): Map<string, ValueType | null> {
  return new Map(
    [...types].map(([name, type]) => [name, type?.kind === 'tensor' ? { ...type, shape: null } : type] as const),
  );
}

function collectTensors(
  plan: CutPlan,
  sides: readonly ReadonlyMap<string, TensorSpec>[],
  types: ReadonlyMap<string, ValueType | null>,
): SplitTensor[] {
  const { graph } = plan;
  const names = new Set([...graph.inputs, ...plan.cut, ...plan.headOutputs, ...plan.tailOutputs, ...graph.outputs]);
  return [...names].map((name) => {
    const found = sides.map((specs) => specs.get(name)).find((spec) => spec !== undefined);
    const { dtype, shape } = mergeSpec(graph, name, found);
    const type = types.get(name);
    return { name, dtype, shape: type?.kind === 'tensor' ? type.shape : shape };
  });
}

/** What the manifest says of the files. */
export interface SplitFiles {
  readonly source: SplitManifest['source'];
  readonly head: SplitPart;
  readonly tail: SplitPart;
  /** Name and version of what made the split. */
  readonly createdBy: string;
}

/** The split.json of a split whose files are known. */
export async function splitManifest(split: SplitModels, files: SplitFiles): Promise<SplitManifest> {
  const { plan } = split;
  return {
    format: SPLIT_FORMAT,
    source: files.source,
    cut: plan.cut,
    headInputs: plan.headInputs,
    headOutputs: plan.headOutputs,
    tailInputs: plan.tailInputs,
    tailOutputs: plan.tailOutputs,
    modelInputs: plan.graph.inputs,
    modelOutputs: plan.graph.outputs,
    tensors: split.tensors,
    codec: { kind: 'raw' },
    head: files.head,
    tail: files.tail,
    pair: await pairHash(files.source.sha256, plan.cut, files.head, files.tail),
    createdBy: files.createdBy,
  };
}

/** Hex SHA-256 that binds a head to its tail: over the source, the cut and every file of both. */
export async function pairHash(
  sourceSha256: string,
  cut: readonly string[],
  head: SplitPart,
  tail: SplitPart,
): Promise<string> {
  const files = [head, tail].map((part) => [part.sha256, part.externalData?.sha256 ?? null]);
  return await sha256Hex(new TextEncoder().encode(JSON.stringify(['kerf-pair/1', sourceSha256, cut, ...files])));
}
