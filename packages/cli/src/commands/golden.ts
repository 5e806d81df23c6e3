// `kerf golden`: samples beside a release, which every cloud and provider has to get right before it serves.
import { openModelFolder, writeGolden } from '@kerf/cloud-runtime';
import { type LoadedModel, systemClock, type TensorMap } from '@kerf/protocol';
import { findInputs } from '@kerf/splitter';
import type { Command, CommandLine } from '../command.ts';
import { PICTURE_OPTIONS, pictureOptions, readFrame } from '../frame-input.ts';
import { checkInterrupted, interruptible } from '../interruption.ts';
import { DIM_OPTION, dimensions } from '../model-options.ts';

export const golden: Command = {
  name: 'golden',
  usage: 'DIR [OPTIONS]',
  summary:
    'Runs the model, tail or chain in a folder on the CPU and writes what it gives for some inputs to DIR/golden. A cloud ' +
    'refuses the folder as a release when it, or the execution provider it would use, gives something else.',
  positionals: [1, 1],
  isolated: true,
  options: {
    input: {
      type: 'string',
      multiple: true,
      value: 'PATH',
      help: 'a picture, .npy or .pb, or a folder for several inputs; may be repeated (default: random values)',
    },
    samples: { type: 'string', value: 'N', help: 'samples of random values (default 3)' },
    seed: { type: 'string', value: 'S', help: 'seed of the random values (default 1)' },
    tolerance: {
      type: 'string',
      value: 'N',
      help: 'largest difference of floats, absolute or relative to the value (default 1e-3)',
    },
    force: { type: 'boolean', help: 'replace samples that are there' },
    ...DIM_OPTION,
    ...PICTURE_OPTIONS,
    json: { type: 'boolean', help: 'print JSON' },
  },
  async run(line, io) {
    const folder = line.positional(0);
    const model = await openModelFolder(folder);
    const inputs = await inputsOf(line, model);
    const tolerance = line.number('tolerance', 1e-3, { most: 1, whole: false });
    const force = line.flag('force');
    const bytes = await interruptible((signal) => {
      const check = (): Promise<void> => checkInterrupted(signal, 'the run of golden samples');
      return writeGolden({ folder, model, inputs, tolerance, force, check });
    });
    const report = { samples: inputs.length, bytes, tolerance };
    if (line.flag('json')) io.print(JSON.stringify(report));
    else io.print(`${report.samples} samples, ${bytes} bytes, tolerance ${tolerance}`);
    return 0;
  },
};

async function inputsOf(line: CommandLine, model: LoadedModel): Promise<TensorMap[]> {
  const paths = line.texts('input');
  if (paths.length > 0) {
    const pictures = pictureOptions(line);
    return Promise.all(paths.map((path) => readFrame(path, model.inputs, pictures)));
  }
  const sampler = await findInputs(model, {
    seed: line.number('seed', 1),
    dims: dimensions(line),
    clock: systemClock,
  });
  return Array.from({ length: line.number('samples', 3, { least: 1, most: 64 }) }, (_, index) => sampler.sample(index));
}
