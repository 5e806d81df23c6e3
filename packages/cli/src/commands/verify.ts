// `kerf verify`: head then tail, or every division of a chain, against the whole model, on the same inputs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelFile, openModelFile } from '@kerf/onnx/node';
import type { OptimizationLevel, TensorMap } from '@kerf/protocol';
import { mergeSpec } from '@kerf/splitter';
import {
  CHAIN_FILE,
  MANIFEST_FILE,
  type VerifyChainReport,
  type VerifySplitReport,
  verifyChain,
  verifySplit,
} from '@kerf/splitter/node';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { PICTURE_OPTIONS, pictureOptions, readFrame } from '../frame-input.ts';
import { DIM_OPTION, dimensions, withCpu } from '../model-options.ts';
import { table } from '../units.ts';
import { printable } from './cuts.ts';

const LEVELS: readonly OptimizationLevel[] = ['disabled', 'basic', 'extended', 'all'];

export const verify: Command = {
  name: 'verify',
  usage: 'MODEL DIR [OPTIONS]',
  summary:
    'Runs the whole model and head then tail on the same inputs; of a chain, every prefix and suffix. Exit status 1 when ' +
    'they differ beyond the tolerance. Checks the hashes in split.json or chain.json first.',
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
    const folder = line.positional(1);
    const check = checkFor(folder);
    const report = await withCpu(async (backend) =>
      check({
        model,
        folder,
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

/** @throws {KerfError} INVALID_ARGUMENT where a folder holds a split and a chain. */
function checkFor(folder: string): typeof verifySplit | typeof verifyChain {
  const isChain = existsSync(join(folder, CHAIN_FILE));
  if (isChain && existsSync(join(folder, MANIFEST_FILE))) {
    throw usageError(`'${folder}' holds a split and a chain: remove ${MANIFEST_FILE} or ${CHAIN_FILE}`);
  }
  return isChain ? verifyChain : verifySplit;
}

async function givenInputs(line: CommandLine, model: ModelFile): Promise<{ inputs?: TensorMap }> {
  const path = line.text('input');
  if (path === undefined) return {};
  const specs = model.graph.inputs.map((name) => mergeSpec(model.graph, name, undefined));
  return { inputs: await readFrame(path, specs, pictureOptions(line)) };
}

function printReport(report: VerifySplitReport | VerifyChainReport, io: Io): void {
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
  if ('divisions' in report) {
    io.print('');
    for (const text of divisionTable(report)) io.print(text);
  }
  io.print('');
  const verdict = {
    'bit-equal': 'equal: every output has the same bits as the whole model',
    'within tolerance': 'close: not every bit is equal, and every difference is within the tolerance',
    differs: `DIFFERENT: ${'divisions' in report ? 'the chain' : 'head then tail'} does not compute what the whole model computes`,
  } as const;
  io.print(verdict[report.verdict]);
  if (report.expected === 'within tolerance')
    for (const reason of report.reasons) io.print(`  not expected to be bit-equal: ${reason}`);
  if (report.lossyCodecs.length > 0) {
    io.print(`  compared without the codec of what crosses (${report.lossyCodecs.join(', ')}), which loses:`);
    io.print("  'kerf evaluate --split' says what that costs");
  }
}

function divisionTable({ divisions, runs }: VerifyChainReport): string[] {
  const rows = divisions.map(({ edgeSegments, bitEqualRuns, outputs }) => [
    `${edgeSegments} then ${divisions.length - 1 - edgeSegments}`,
    `${bitEqualRuns} of ${runs}`,
    outputs.every(({ isWithin }) => isWithin) ? 'yes' : 'NO',
  ]);
  return table([['segments', 'bit-equal', 'within tolerance'], ...rows], [1, 2]);
}
