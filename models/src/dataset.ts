// A split and a count -> pictures and masks in folders as MVTec AD lays them out, and a list of what they are.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KerfError } from '@kerf/protocol';
import { DEFECTS, type Defect } from './defects.ts';
import { encodePng } from './png.ts';
import { type PartPicture, renderPart } from './render.ts';
import { PICTURE_SIZE } from './scene.ts';
import { loadTextures, SURFACES } from './surface.ts';

/** Splits never share a picture: each has its own billion of seeds. */
const SPLITS = { train: 0, test: 1, calibration: 2, demo: 3 } as const;
export type Split = keyof typeof SPLITS;
export const SPLIT_NAMES = Object.keys(SPLITS) as Split[];

const SEEDS_PER_SPLIT = 1_000_000_000;
/** Pictures that one `seed` may draw. */
const SEEDS_PER_SET = 100_000;

export interface DatasetOptions {
  readonly split: Split;
  readonly count: number;
  /** Another seed, another set of the same split. @default 0 */
  readonly seed?: number;
  /** @default the six known kinds */
  readonly kinds?: readonly Defect[];
  /** Share of good parts. @default 0.5 */
  readonly goodShare?: number;
  /** All parts in one fixture: one pose, one light. @default false */
  readonly fixture?: boolean;
}

/** One picture of a set. */
export interface DatasetPart {
  readonly seed: number;
  readonly defect: Defect | null;
  readonly picture: PartPicture;
}

/**
 * The parts of a set, one after the other; surfaces and kinds take turns.
 * @throws {KerfError} INVALID_ARGUMENT.
 */
export async function* datasetParts(options: DatasetOptions): AsyncGenerator<DatasetPart> {
  const { split, count, seed = 0, kinds = DEFECTS, goodShare = 0.5, fixture = false } = options;
  checkOptions(options);
  const textures = await loadTextures();
  const first = SPLITS[split] * SEEDS_PER_SPLIT + seed * SEEDS_PER_SET;
  let defective = 0;
  for (let index = 0; index < count; index++) {
    const isGood = Math.floor((index + 1) * goodShare) > Math.floor(index * goodShare);
    const defect = isGood ? null : (kinds[defective++ % kinds.length] as Defect);
    const surface = fixture
      ? SURFACES[seed % SURFACES.length]
      : SURFACES[(index * 5 + Math.floor(index / 14)) % SURFACES.length];
    const request = { seed: first + index, defect, fixture: fixture ? first : null };
    const picture = renderPart(textures, surface === undefined ? request : { ...request, surface });
    yield { seed: first + index, defect, picture };
  }
}

function checkOptions({ count, seed = 0, kinds = DEFECTS, goodShare = 0.5 }: DatasetOptions): void {
  const wrong = (what: string): KerfError => new KerfError('INVALID_ARGUMENT', what);
  if (!Number.isInteger(count) || count < 1 || count > SEEDS_PER_SET) {
    throw wrong(`count must be a whole number from 1 to ${SEEDS_PER_SET}, got ${count}`);
  }
  if (!Number.isInteger(seed) || seed < 0 || seed >= SEEDS_PER_SPLIT / SEEDS_PER_SET) {
    throw wrong(`seed must be a whole number from 0 to ${SEEDS_PER_SPLIT / SEEDS_PER_SET - 1}, got ${seed}`);
  }
  if (!(goodShare >= 0 && goodShare <= 1)) throw wrong(`the share of good parts must be from 0 to 1, got ${goodShare}`);
  if (kinds.length === 0 && goodShare < 1) throw wrong('defective parts need at least one kind of defect');
}

/**
 * Writes a set: `SPLIT/good`, `SPLIT/KIND`, and masks in `ground_truth/KIND/NAME_mask.png` for the split `test`, in
 * `SPLIT_ground_truth` for any other; and `SPLIT.json`, which lists every picture with its seed.
 */
export async function writeDataset(folder: string, options: DatasetOptions): Promise<number> {
  const { split } = options;
  const masks = split === 'test' ? 'ground_truth' : `${split}_ground_truth`;
  const list: unknown[] = [];
  for await (const { seed, defect, picture } of datasetParts(options)) {
    const kind = defect ?? 'good';
    const name = String(list.length + 1).padStart(4, '0');
    await write(join(folder, split, kind), `${name}.png`, encodePng(PICTURE_SIZE, PICTURE_SIZE, 3, picture.image.data));
    if (defect !== null) {
      const grey = picture.mask.map((value) => 255 * value);
      await write(join(folder, masks, kind), `${name}_mask.png`, encodePng(PICTURE_SIZE, PICTURE_SIZE, 1, grey));
    }
    list.push({ file: `${split}/${kind}/${name}.png`, seed, defect, surface: picture.surface, text: picture.text });
  }
  await writeFile(join(folder, `${split}.json`), `${JSON.stringify({ ...options, pictures: list }, null, 1)}\n`);
  return list.length;
}

async function write(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), bytes);
}
