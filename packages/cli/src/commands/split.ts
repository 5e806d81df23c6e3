// `kerf split`: head.onnx, tail.onnx and split.json.
import type { SplitCodec, SplitManifest } from '@kerf/protocol';
import { fusionAt, HAND_CODECS, type HandCodec, handCodec } from '@kerf/splitter';
import { writeSplit, writeSplitCodec } from '@kerf/splitter/node';
import { codecText } from '../codec-text.ts';
import { type Command, type CommandLine, type Io, usageError, VERSION } from '../command.ts';
import { checkInterrupted, interruptible } from '../interruption.ts';
import { openNamedModel, withCpu } from '../model-options.ts';
import { shellWord } from '../shell-word.ts';
import { formatBytes } from '../units.ts';
import { printable } from './cuts.ts';

export const split: Command = {
  name: 'split',
  usage: 'MODEL --at TENSOR[,TENSOR...] --out DIR',
  summary:
    'Cuts a model at one tensor or a set of tensors. Writes head.onnx and tail.onnx, which any ONNX Runtime loads, and ' +
    'split.json, which says what crosses. Nothing is written when the runtime refuses either part.',
  positionals: [1, 1],
  isolated: true,
  options: {
    at: {
      type: 'string',
      multiple: true,
      value: 'NAMES',
      help: 'tensors of the cut, with commas between; may be repeated; a JSON array takes any name: \'["a,b"]\'',
    },
    out: { type: 'string', value: 'DIR', help: 'folder to write; an earlier split in it is replaced' },
    codec: {
      type: 'string',
      value: 'NAME',
      help: `how what crosses is coded: ${HAND_CODECS.join(', ')} (default raw); kerf calibrate finds a better one`,
    },
    force: { type: 'boolean', help: 'write into a folder that holds other files' },
    json: { type: 'boolean', help: 'print split.json and the model inputs that were added to the cut' },
  },
  notes:
    'Model inputs that the tail needs join the cut by themselves. Outputs that the head makes are delivered from it.',
  async run(line, io) {
    const at = line.texts('at');
    if (at.length === 0) throw usageError('--at is needed: a tensor name as kerf cuts shows it');
    const folder = line.required('out');
    const codec = line.choice('codec', HAND_CODECS, 'raw');
    const model = await openNamedModel(line);
    const cut = at.flatMap((text) => tensorNames(text, (name) => isValue(model.graph, name)));
    const createdBy = `kerf ${VERSION}`;
    const written = await interruptible((signal) => {
      const check = (): Promise<void> => checkInterrupted(signal, 'the split');
      const force = line.flag('force');
      return withCpu((backend) => writeSplit({ model, cut, folder, backend, force, createdBy, check }));
    });
    const { plan } = written;
    const manifest =
      codec === 'raw' ? written.manifest : await writeSplitCodec(folder, codedBy(codec, written.manifest));
    const { addedInputs } = plan;
    const insideFusion = fusionAt(model.graph, manifest.cut);
    if (line.flag('json')) io.print(JSON.stringify({ folder, addedInputs, insideFusion, split: manifest }));
    else printSplit(manifest, { addedInputs, insideFusion }, line, io);
    return 0;
  },
};

/** Every tensor of the cut in the codec of that name; nobody has measured what it costs. */
function codedBy(name: HandCodec, { cut, tensors }: SplitManifest): SplitCodec {
  const specs = new Map(tensors.map((spec) => [spec.name, spec]));
  const codecs = cut.map((tensor) => ({
    name: tensor,
    codec: handCodec(name, specs.get(tensor) ?? { dtype: null, shape: null }),
  }));
  return { kind: 'coded', tensors: codecs, calibration: null };
}

function isValue(
  graph: { readonly producer: ReadonlyMap<string, number>; readonly inputs: readonly string[] },
  name: string,
): boolean {
  return graph.producer.has(name) || graph.inputs.includes(name);
}

/**
 * The names in one `--at`: a JSON array of strings, a name as it stands when the model has it, else a list with commas.
 * @throws {KerfError} INVALID_ARGUMENT for JSON that is no array of strings.
 */
export function tensorNames(text: string, isKnown: (name: string) => boolean): string[] {
  if (isKnown(text)) return [text];
  if (!text.startsWith('[')) return text.split(',').filter((name) => name !== '');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw usageError(`--at ${text} is not a JSON array; quote it for the shell: --at '["a,b"]' (${String(cause)})`);
  }
  if (!Array.isArray(parsed) || !parsed.every((name) => typeof name === 'string')) {
    throw usageError(`--at ${text} must be a JSON array of strings`);
  }
  return parsed;
}

interface CutNotes {
  readonly addedInputs: readonly string[];
  readonly insideFusion: string | null;
}

function printSplit(
  manifest: SplitManifest,
  { addedInputs: added, insideFusion }: CutNotes,
  line: CommandLine,
  io: Io,
): void {
  const nodes = (count: number): string => `${count} ${count === 1 ? 'node' : 'nodes'}`;
  const parts = [
    ['head.onnx', manifest.head],
    ['tail.onnx', manifest.tail],
  ] as const;
  for (const [file, part] of parts) {
    const data = part.externalData === null ? '' : ` and ${formatBytes(part.externalData.bytes)} beside it`;
    io.print(`${file}  ${nodes(part.nodes)}, ${formatBytes(part.bytes)}${data}`);
  }
  io.print(`cut        ${manifest.cut.map(printable).join(', ')}`);
  if (manifest.codec.kind === 'coded') io.print(`codec      ${codecText(manifest.codec)}`);
  if (added.length > 0)
    io.print(`           the tail needs the model input ${added.map(printable).join(', ')} too: it crosses`);
  if (insideFusion !== null) {
    io.print(
      `           it lies inside ${insideFusion}, which the runtime else runs as one: the cut costs that fusion`,
    );
  }
  io.print(`check it:  kerf verify ${shellWord(line.positional(0))} ${shellWord(line.required('out'))}`);
}
