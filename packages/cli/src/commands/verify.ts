// `kerf verify`: head then tail against the whole model, on the same inputs.

import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import type { OptimizationLevel, TensorMap } from '@kerf/protocol';
import { mergeSpec } from '@kerf/splitter';
import { type VerifySplitReport, verifySplit } from '@kerf/splitter/node';
import { type Command, type CommandLine, type Io } from '../command.ts';
import { PICTURE_OPTIONS, pictureOptions, readFrame } from '../frame-input.ts';
import { DIM_OPTION, dimensions, withCpu } from '../model-options.ts';
import { table } from '../units.ts';
import { printable } from './cuts.ts';

const LEVELS: readonly OptimizationLevel[] = ['disabled', 'basic', 'extended', 'all'];

export const verify: Command = {
  name: 'verify',
  usage: 'MODEL DIR [OPTIONS]',
  summary:
    'Runs the whole model and head then tail on the same inputs. Exit status 1 when they differ beyond the tolerance. ' +
    'Checks the hashes in split.json first.',
  positionals: [2, 2],
  isolated: true,
  options: {
    runs: { type: 'string', value: 'N', help: 'runs, each with other random values (default 3)' },
    seed: { type: 'string', value: 'S', help: 'seed of the random values (default 1)' },
    level: { type: 'string', value: 'LEVEL', help: `graph optimisation: ${LEVELS.join(', ')} (default disabled)` },
    input: {
      type: 'string',
      value: 'PATH',
      help: 'a picture, .npy or .pb instead of random values; a folder for several inputs',
    },
    ...DIM_OPTION,
    ...PICTURE_OPTIONS,
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: 'Where the model leaves a size open, one that it runs on is found by trial.',
  async run(line, io) {
    const model = await openModelFile(line.positional(0));
    const report = await withCpu(async (backend) =>
      verifySplit({
        model,
        folder: line.positional(1),
        backend,
        runs: line.number('runs', 3, { least: 1, most: 100_000 }),
        seed: line.number('seed', 1),
        optimizationLevel: line.choice('level', LEVELS, 'disabled'),
        dims: dimensions(line),
        ...(await givenInputs(line, model)),
      }),
    );
    if (line.flag('json')) io.print(JSON.stringify(report));
    else printReport(report, io);
    return report.verdict === 'differs' ? 1 : 0;
  },
};

async function givenInputs(line: CommandLine, model: ModelFile): Promise<{ inputs?: TensorMap }> {
  const path = line.text('input');
  if (path === undefined) return {};
  const specs = model.graph.inputs.map((name) => mergeSpec(model.graph, name, undefined));
  return { inputs: await readFrame(path, specs, pictureOptions(line)) };
}

function printReport(report: VerifySplitReport, io: Io): void {
  const inputs = report.inputs.map(({ name, dtype, shape }) => `${printable(name)} ${dtype}[${shape.join(', ')}]`);
  io.print(`inputs   ${inputs.join(', ')}`);
  io.print(`runtime  ${report.backend}, graph optimisation ${report.optimizationLevel}`);
  io.print('');
  const rows = report.outputs.map((output) => [
    printable(output.name),
    `${output.bitEqualRuns} of ${report.runs}`,
    output.maxAbsolute.toExponential(2),
    output.maxRelative.toExponential(2),
    output.isWithin ? 'yes' : 'NO',
  ]);
  const head = ['output', 'bit-equal', 'largest difference', 'relative', 'within tolerance'];
  for (const text of table([head, ...rows], [1, 2, 3, 4])) io.print(text);
  io.print('');
  const verdict = {
    'bit-equal': 'equal: every output has the same bits as the whole model',
    'within tolerance': 'close: not every bit is equal, and every difference is within the tolerance',
    differs: 'DIFFERENT: head then tail does not compute what the whole model computes',
  } as const;
  io.print(verdict[report.verdict]);
  if (report.expected === 'within tolerance')
    for (const reason of report.reasons) io.print(`  not expected to be bit-equal: ${reason}`);
}
