// A split and a count -> pictures and masks in folders as MVTec AD lays them out, and a list of what they are.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Defect } from './defects.ts';
import { encodePng } from './png.ts';
import { type PartPicture, renderPart } from './render.ts';
import { PICTURE_SIZE } from './scene.ts';
import { type SetOptions, seedsOf } from './splits.ts';
import { loadTextures, SURFACES, type Surface } from './surface.ts';
import { defectTurns } from './turns.ts';

export interface DatasetOptions extends SetOptions {
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
  const { seed: set = 0, goodShare = 0.5, fixture = false } = options;
  const defectAt = defectTurns({ ...options, goodShare });
  const seeds = seedsOf(options);
  const textures = await loadTextures();
  const shared = fixture ? (seeds[0] as number) : null;
  for (const [index, seed] of seeds.entries()) {
    const defect = defectAt(index);
    const turn = fixture ? set : index * 5 + Math.floor(index / 14);
    const surface = SURFACES[turn % SURFACES.length] as Surface;
    yield { seed, defect, picture: renderPart(textures, { seed, surface, defect, fixture: shared }) };
  }
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
