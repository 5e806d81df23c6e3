// A placement and a codec as the command line names them -> something that answers samples as that placement would.
import { openSplitFolder } from '@kerf/edge-runtime/node';
import type { ModelFile } from '@kerf/onnx/node';
import { type ActivationCodec, type Backend, KerfError, type LoadOptions, type TensorMap } from '@kerf/protocol';
import { CodedCut, type CutTraffic, type HandCodec, handCodec, runHead, runTail, splitCodecs } from '@kerf/splitter';
import { printable } from '../commands/cuts.ts';
import { describeCoding, encodePicture } from '../measure/picture-coding.ts';
import type { PictureCoding } from '../measure/placements.ts';
import { decodePicture } from '../picture.ts';
import type { Recode } from '../samples/load-sample.ts';

export interface Traffic {
  /** On average, of what goes up. */
  readonly bytesPerFrame: number;
  /** Null for images: they hold pixels, not values of a tensor. */
  readonly bitsPerValue: number | null;
  /** NaN and infinite values that a lossy codec met, in all frames. */
  readonly nonFinite: number;
}

export interface Placed {
  /** Such as `edge`, `cloud, JPEG 80` or `split at relu_7, uint8`. */
  readonly label: string;
  /** Null: the picture reaches the model as it is. */
  readonly recode: Recode | null;
  answer(inputs: TensorMap): Promise<TensorMap>;
  /** Null where nothing crosses. */
  traffic(): Traffic | null;
  dispose(): Promise<void>;
}

/** The whole model on the inputs as they are. @throws {KerfError} what loading throws. */
export async function wholePlaced(model: ModelFile, backend: Backend, load: LoadOptions): Promise<Placed> {
  const whole = await backend.load({ path: model.path }, load);
  return {
    label: 'edge',
    recode: null,
    answer: (inputs) => whole.run(inputs),
    traffic: () => null,
    dispose: () => whole.dispose(),
  };
}

/** The whole model in the cloud, on a picture that crossed in an image format. @throws {KerfError} what loading throws. */
export async function cloudPlaced(
  model: ModelFile,
  backend: Backend,
  load: LoadOptions,
  coding: PictureCoding,
): Promise<Placed> {
  const whole = await wholePlaced(model, backend, load);
  let frames = 0;
  let total = 0;
  return {
    ...whole,
    label: `cloud, ${describeCoding(coding)}`,
    recode: async (image) => {
      const bytes = await encodePicture(image, coding);
      frames++;
      total += bytes.byteLength;
      return await decodePicture(bytes);
    },
    traffic: () => ({ bytesPerFrame: total / frames, bitsPerValue: null, nonFinite: 0 }),
  };
}

export interface SplitRequest {
  readonly folder: string;
  /** Null: the codec of split.json. */
  readonly codec: HandCodec | null;
  readonly nonFinite: 'lossless' | 'refuse';
  readonly maxBytes: number | null;
}

/**
 * Head, codec there and back, tail.
 * @param model the whole; null where only the split is known
 * @throws {KerfError} PAIR_MISMATCH when the split was made from another model, and what opening a split throws.
 */
export async function splitPlaced(
  model: ModelFile | null,
  backend: Backend,
  load: LoadOptions,
  { folder, codec, nonFinite, maxBytes }: SplitRequest,
): Promise<Placed> {
  const opened = await openSplitFolder(folder, { backend, withTail: true, load });
  const { split, head, local, tables } = opened;
  if (local === null || (model !== null && split.source.sha256 !== model.sha256)) {
    await opened.dispose();
    throw new KerfError('PAIR_MISMATCH', `the split in ${folder} was made from another model; split this one`);
  }
  const loaded = { head, tail: local.tail, names: split };
  const codecs = splitCodecs(split.codec, tables);
  const cut = new CodedCut(
    (name, tensor) => (codec === null ? (codecs.get(name) ?? { kind: 'raw' }) : handCodec(codec, tensor)),
    { nonFinite, ...(maxBytes === null ? {} : { maxBytes }) },
  );
  return {
    label: `split at ${split.cut.map(printable).join(', ')}, ${codec ?? kindsOf(codecs.values())}`,
    recode: null,
    answer: async (inputs) => {
      const front = await runHead(loaded, inputs);
      return await runTail(loaded, front, cut.send(front.crossing));
    },
    traffic: () => trafficOf(cut.traffic),
    dispose: () => opened.dispose(),
  };
}

function kindsOf(codecs: Iterable<ActivationCodec>): string {
  const kinds = [...new Set([...codecs].map(({ kind }) => kind))];
  return kinds.length === 0 ? 'raw' : kinds.join(' and ');
}

function trafficOf({ frames, bytes, values, nonFinite }: CutTraffic): Traffic {
  const total = [...bytes.values()].reduce((sum, one) => sum + one, 0);
  return { bytesPerFrame: total / frames, bitsPerValue: (8 * total) / values, nonFinite };
}
