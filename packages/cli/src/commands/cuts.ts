// `kerf cuts`: every valid cut of a model, with what crosses and what stays on each side.

import type { ModelFile } from '@kerf/onnx/node';
import { type Dimension, describeTensor, KerfError, messageOf } from '@kerf/protocol';
import {
  crossableCuts,
  type DimensionBindings,
  fusionAt,
  type InputShapes,
  type ListedCut,
  listCuts,
  type ValueSpec,
  valueSpecs,
} from '@kerf/splitter';
import { fileHost } from '@kerf/splitter/node';
import type { Command, Io } from '../command.ts';
import {
  DIM_OPTION,
  dimensions,
  hasOpenDimensions,
  openNamedModel,
  runnableShapes,
  withCpu,
} from '../model-options.ts';
import { formatBytes, table } from '../units.ts';

/** One row of the report; docs/cli.md documents it. */
interface CutRow {
  readonly tensors: readonly CutTensor[];
  /** Model inputs that the tail needs too; they cross with the cut. */
  readonly inputs: readonly CutTensor[];
  /** Of everything that crosses; null while a size is unknown. */
  readonly bytes: number | null;
  readonly headNodes: number;
  readonly tailNodes: number;
  /** Operators that the runtime runs as one unless the cut parts them; null when it parts none. */
  readonly insideFusion: string | null;
}

interface CutTensor {
  readonly name: string;
  readonly dtype: string | null;
  readonly shape: readonly Dimension[] | null;
  readonly bytes: number | null;
}

interface CutReport {
  readonly model: { readonly file: string; readonly sha256: string; readonly bytes: number; readonly nodes: number };
  readonly inputs: readonly CutTensor[];
  readonly outputs: readonly CutTensor[];
  /** Sizes that were chosen because the model leaves them open and `--dim` did not say; null when none were. */
  readonly assumedInputShapes: Readonly<Record<string, readonly number[]>> | null;
  /** Why there are no cuts, or why sizes are missing; null when neither is so. */
  readonly note: string | null;
  readonly cuts: readonly CutRow[];
}

export const cuts: Command = {
  name: 'cuts',
  usage: 'MODEL [OPTIONS]',
  summary:
    'Lists every tensor that separates the model alone, and one set of tensors for every other position of the graph. ' +
    "'kerf split' takes each of them, and other sets too.",
  positionals: [1, 1],
  isolated: true,
  options: {
    ...DIM_OPTION,
    single: { type: 'boolean', help: 'only cuts of a single tensor' },
    smaller: { type: 'boolean', help: 'only cuts that carry fewer bytes than the model inputs' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: 'Where the model leaves a size open, one that it runs on is chosen; --dim NAME=N sets it.',
  async run(line, io) {
    const dims = dimensions(line);
    const model = await openNamedModel(line);
    const report = await reportOf(model, dims);
    const inputBytes = sum(report.inputs.map(({ bytes }) => bytes));
    const selected = report.cuts.filter(
      (cut) =>
        (!line.flag('single') || cut.tensors.length + cut.inputs.length === 1) &&
        (!line.flag('smaller') || (cut.bytes !== null && inputBytes !== null && cut.bytes < inputBytes)),
    );
    if (line.flag('json')) io.print(JSON.stringify({ ...report, cuts: selected }));
    else printReport({ ...report, cuts: selected }, io);
    return 0;
  },
};

/** Left out are cuts that `kerf split` would refuse. */
const NOTHING_CROSSES =
  'at every position a sequence, an optional or another value that is no tensor of a usual type would have to cross';
const NO_INPUTS =
  'the model has no inputs: its answer is the same for every frame, so there is nothing to send and nothing to cut';
const NOTHING_BETWEEN = 'there is nothing to cut: no value lies between two operators that depend on an input';

/** Bytes of all; null when one is unknown. */
function sum(bytes: readonly (number | null)[]): number | null {
  return bytes.reduce<number | null>((total, size) => (total === null || size === null ? null : total + size), 0);
}

async function reportOf(model: ModelFile, dims: DimensionBindings): Promise<CutReport> {
  const { specs, shapes, note } = await sizes(model, dims);
  const tensor = (name: string): CutTensor => {
    const spec = specs.get(name);
    return { name, dtype: spec?.dtype ?? null, shape: spec?.shape ?? null, bytes: spec?.bytes ?? null };
  };
  const row = (cut: ListedCut): CutRow => {
    const tensors = cut.tensors.map(tensor);
    const inputs = cut.inputs.map(tensor);
    const bytes = sum([...tensors, ...inputs].map((one) => one.bytes));
    const insideFusion = fusionAt(model.graph, cut.tensors);
    return { tensors, inputs, bytes, headNodes: cut.headNodes, tailNodes: cut.tailNodes, insideFusion };
  };
  const listed = listCuts(model.graph);
  const crossable = crossableCuts(listed, specs);
  return {
    model: { file: model.name, sha256: model.sha256, bytes: model.bytes, nodes: model.graph.nodes.length },
    inputs: model.graph.inputs.map(tensor),
    outputs: model.graph.outputs.map(tensor),
    assumedInputShapes: shapes === null ? null : Object.fromEntries(shapes),
    note: whyNoCuts(model, listed, crossable) ?? note,
    cuts: crossable.map(row),
  };
}

/** Null where there are cuts. */
function whyNoCuts({ graph }: ModelFile, listed: readonly ListedCut[], crossable: readonly ListedCut[]): string | null {
  if (crossable.length > 0) return null;
  if (graph.inputs.length === 0) return NO_INPUTS;
  return listed.length === 0 ? NOTHING_BETWEEN : NOTHING_CROSSES;
}

/** dtypes and shapes as the runtime sees them, at sizes that the model runs on. */
function sizes(
  model: ModelFile,
  dims: DimensionBindings,
): Promise<{ specs: ReadonlyMap<string, ValueSpec>; shapes: InputShapes | null; note: string | null }> {
  return withCpu(async (backend) => {
    const host = fileHost(model);
    let shapes: InputShapes | null = null;
    let note: string | null = null;
    if (hasOpenDimensions(model, dims)) {
      try {
        shapes = await runnableShapes(model, backend, dims);
      } catch (error) {
        // A dimension that no input has is the caller's mistake; a model that runs on nothing we try still has cuts.
        if (!KerfError.is(error) || (Object.keys(dims).length > 0 && error.code === 'INVALID_ARGUMENT')) throw error;
        note = `sizes are unknown: ${messageOf(error)}`;
      }
    }
    const specs = await valueSpecs(model.graph, {
      host,
      backend,
      dims,
      ...(shapes === null ? {} : { inputShapes: shapes }),
    });
    return { specs, shapes, note };
  });
}

function printReport(report: CutReport, io: Io): void {
  const { model } = report;
  io.print(`${model.file}: ${formatBytes(model.bytes)}, ${model.nodes} nodes`);
  for (const input of report.inputs) io.print(`  input  ${describeValue(input)}`);
  for (const output of report.outputs) io.print(`  output ${describeValue(output)}`);
  if (report.assumedInputShapes !== null) io.print('  open sizes were chosen by a trial run; --dim NAME=N sets them');
  if (report.note !== null) io.print(`  ${report.note}`);
  const single = report.cuts.filter((cut) => cut.tensors.length + cut.inputs.length === 1).length;
  const { length } = report.cuts;
  io.print(`${length} ${length === 1 ? 'cut' : 'cuts'}, ${single} of a single tensor`);
  if (report.cuts.length === 0) return;
  io.print('');
  const rows = report.cuts.map((cut) => [
    String(cut.headNodes),
    String(cut.tailNodes),
    cut.bytes === null ? '?' : formatBytes(cut.bytes),
    [...cut.tensors, ...cut.inputs].map(describeValue).join(' + ') +
      (cut.insideFusion === null ? '' : `  (inside ${cut.insideFusion})`),
  ]);
  for (const text of table([['head', 'tail', 'bytes', 'tensors'], ...rows], [0, 1, 2])) io.print(text);
  if (report.cuts.some((cut) => cut.insideFusion !== null)) {
    io.print('(inside ...): the runtime runs these operators as one; a cut there is possible and costs that');
  }
}

function describeValue(tensor: CutTensor): string {
  return `${printable(tensor.name)} ${tensor.dtype ?? '?'}${describeTensor({ dtype: null, shape: tensor.shape }).replace('non-tensor', '')}`;
}

/** A name as `--at` takes it: quoted as JSON where it holds something that a shell or the list would break on. */
export function printable(name: string): string {
  return /^[\w./:-]+$/.test(name) ? name : JSON.stringify(name);
}
