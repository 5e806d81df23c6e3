// `kerf chain`: a model as segments at nested cuts, so that moving the cut later needs no download.
import type { ModelFile } from '@kerf/onnx/node';
import type { ChainLoss } from '@kerf/protocol';
import { type ChosenCuts, chooseCuts, fusedValues } from '@kerf/splitter';
import { writeChain } from '@kerf/splitter/node';
import { chainText } from '../chain/chain-text.ts';
import { type Command, type CommandLine, usageError, VERSION } from '../command.ts';
import { PICTURE_OPTIONS, pictureOptions } from '../frame-input.ts';
import { checkInterrupted, interruptible } from '../interruption.ts';
import { DIM_OPTION, dimensions, openNamedModel, withCpu } from '../model-options.ts';
import { imageInputs, readPictureInput } from '../plan/image-candidates.ts';
import { profilePath, readDevice } from '../plan/read-request.ts';
import { shellWord } from '../shell-word.ts';
import { printable } from './cuts.ts';
import { tensorNames } from './split.ts';

const MAX_SEGMENTS = 6;

export const chain: Command = {
  name: 'chain',
  usage: 'MODEL (--edge PROFILE --cloud PROFILE | --at NAMES...) --out DIR [OPTIONS]',
  summary:
    'Writes a model as at most six segments at nested cuts, and chain.json. An edge that holds a prefix and a cloud that ' +
    'holds all can move the cut without a download. Profiles choose the cuts that are the best on some link from 0.1 to ' +
    '1000 Mbit/s and 1 to 200 ms; --at names them by hand. Weights are stored once.',
  positionals: [1, 1],
  isolated: true,
  options: {
    edge: { type: 'string', value: 'PROFILE', help: "what 'kerf profile' measured on the edge device" },
    cloud: { type: 'string', value: 'PROFILE', help: "what 'kerf profile' measured in the cloud" },
    at: {
      type: 'string',
      multiple: true,
      value: 'NAMES',
      help: 'a cut by hand, its tensors with commas between; repeated for every cut; a JSON array takes any name',
    },
    'max-segments': {
      type: 'string',
      value: 'N',
      help: `segments at most, 1 to ${MAX_SEGMENTS} (default ${MAX_SEGMENTS})`,
    },
    cuts: { type: 'string', value: 'N', help: 'exactly N cuts, also where fewer or none are ever the best' },
    input: {
      type: 'string',
      value: 'PICTURE',
      help: 'a usual picture: the cloud with PNG, JPEG, WebP is what cuts must beat too',
    },
    ...PICTURE_OPTIONS,
    out: { type: 'string', value: 'DIR', help: 'folder to write; an earlier chain in it is replaced' },
    ...DIM_OPTION,
    force: { type: 'boolean', help: 'write into a folder that holds other files' },
    json: { type: 'boolean', help: 'print chain.json and what a frame loses' },
  },
  notes:
    'Cuts between operators that the runtime fuses are taken only with --at. With --at, --dim NAME=N gives sizes that the ' +
    'model leaves open, for the bytes that cross; with profiles the sizes are theirs.',
  async run(line, io) {
    checkWay(line);
    const folder = line.required('out');
    const model = await openNamedModel(line);
    const chosen = line.texts('at').length > 0 ? null : await chosenCuts(line, model);
    const cuts = chosen?.cuts ?? namedCuts(line, model);
    const sizes = chosen === null ? { dims: dimensions(line) } : { inputShapes: chosen.inputShapes };
    const options = { model, cuts, folder, force: line.flag('force'), createdBy: `kerf ${VERSION}`, ...sizes };
    const { manifest } = await interruptible((signal) => {
      const check = (): Promise<void> => checkInterrupted(signal, 'the chain');
      return withCpu((backend) => writeChain({ ...options, backend, check }));
    });
    const splitLoss: ChainLoss | null = chosen?.cuts.splitLoss ?? null;
    if (line.flag('json')) {
      io.print(JSON.stringify({ folder, splitLoss, chain: manifest }));
      return 0;
    }
    for (const text of chainText(manifest, splitLoss)) io.print(text);
    for (const text of fusionNotes(model, manifest.cuts)) io.print(text);
    const words = { model: shellWord(line.positional(0)), chain: shellWord(folder) };
    io.print(`check it: kerf verify ${words.model} ${words.chain}`);
    if (manifest.cuts.length > 0) {
      io.print(`smaller frames: kerf calibrate ${words.model} --chain ${words.chain} --samples DIR`);
    }
    return 0;
  },
};

/** What only says something where profiles choose the cuts. */
const CHOOSING = ['edge', 'cloud', 'max-segments', 'cuts', 'input', ...Object.keys(PICTURE_OPTIONS)];

/** Either profiles or names. @throws {KerfError} INVALID_ARGUMENT. */
function checkWay(line: CommandLine): void {
  if (line.texts('at').length > 0) {
    const choosing = CHOOSING.find((name) => line.text(name) !== undefined);
    if (choosing === undefined) return;
    throw usageError(`--at names the cuts by hand, --${choosing} is for choosing them: leave one out`);
  }
  if (line.text('edge') === undefined && line.text('cloud') === undefined) {
    throw usageError("the cuts are not known: give --edge and --cloud, made by 'kerf profile', or name them with --at");
  }
  if (line.texts('dim').length > 0) throw usageError('--dim is for --at: with profiles the sizes are theirs');
  const orphan = Object.keys(PICTURE_OPTIONS).find((name) => line.text(name) !== undefined);
  if (orphan !== undefined && line.text('input') === undefined) {
    throw usageError(`--${orphan} says something of a picture: give one with --input`);
  }
}

async function chosenCuts(
  line: CommandLine,
  model: ModelFile,
): Promise<{ readonly cuts: ChosenCuts; readonly inputShapes: ReadonlyMap<string, readonly number[]> }> {
  const maxSegments = line.number('max-segments', MAX_SEGMENTS, { least: 1, most: MAX_SEGMENTS });
  const count = line.text('cuts') === undefined ? null : line.number('cuts', 0, { least: 0, most: maxSegments - 1 });
  const [edgePath, cloudPath] = [profilePath(line, 'edge'), profilePath(line, 'cloud')];
  const edge = await readDevice('edge', edgePath, model);
  const cloud = await readDevice('cloud', cloudPath, model);
  const picture = line.text('input');
  const images =
    picture === undefined
      ? []
      : await imageInputs(await readPictureInput(picture, model, edge, pictureOptions(line)), new Map());
  const wanted = count === null ? {} : { cuts: count };
  const cuts = chooseCuts(model.graph, { edge, cloud, images, maxSegments, ...wanted });
  return { cuts, inputShapes: new Map(Object.entries(edge.inputShapes)) };
}

function namedCuts(line: CommandLine, { graph }: ModelFile): string[][] {
  const isKnown = (name: string): boolean => graph.producer.has(name) || graph.inputs.includes(name);
  return line.texts('at').map((text) => tensorNames(text, isKnown));
}

function fusionNotes({ graph }: ModelFile, cuts: readonly { readonly tensors: readonly string[] }[]): string[] {
  const fused = fusedValues(graph);
  return cuts.flatMap(({ tensors }) =>
    tensors.flatMap((name) => {
      const pair = fused.get(name);
      return pair === undefined ? [] : [`note: a cut at ${printable(name)} keeps the runtime from fusing ${pair}`];
    }),
  );
}
