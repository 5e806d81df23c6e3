// Level tables of a split that was just loaded -> coders that are compiled, so that the first frames are coded as fast as
// later ones: engines compile what runs often, and a station that starts must not miss its first parts for that.
import { seededRandom } from '../random.ts';
import type { LevelTable } from './level-table.ts';
import { decodeLevelValues, encodeLevelValues } from './levels-codec.ts';
import { compileKernel } from './wasm-kernel.ts';

/** Frames coded and decoded for each table, of about so many values: engines have seen enough then. */
const FRAMES = 4;
const VALUES = 1 << 16;
/** More tables than this are like those before. */
const MAX_TABLES = 4;
/** Share of values that are not what is usual. */
const UNUSUAL = 0.3;

export interface WarmUp {
  /** What codes from now on. */
  readonly coder: 'webassembly' | 'typescript';
  /** Frames that were coded and decoded. */
  readonly frames: number;
}

/** Call it where models are loaded; without tables it does nothing. Takes some tens of milliseconds. */
export async function warmUpLevels(tables: Iterable<LevelTable>): Promise<WarmUp> {
  const warmed = [...tables].slice(0, MAX_TABLES);
  if (warmed.length === 0) return { coder: 'typescript', frames: 0 };
  const coder = (await compileKernel()) ? 'webassembly' : 'typescript';
  for (const table of warmed) {
    const shape = shapeFor(table);
    const values = madeUpValues(shape, table);
    for (let frame = 0; frame < FRAMES; frame++) {
      decodeLevelValues(encodeLevelValues(values, shape, table), shape, table);
    }
  }
  return { coder, frames: warmed.length * FRAMES };
}

/** One item; the last two axes that are not channels share what the channels leave of the values. */
function shapeFor({ rank, channelAxis, channels }: LevelTable): number[] {
  const shape = Array<number>(rank).fill(1);
  shape[channelAxis] = channels.length;
  const axes = [...shape.keys()].filter((axis) => axis !== channelAxis && axis > 0).slice(-2);
  const plane = Math.max(16, VALUES / channels.length);
  for (const axis of axes) shape[axis] = Math.ceil(plane ** (1 / axes.length));
  return shape;
}

function madeUpValues(shape: readonly number[], { channelAxis, channels }: LevelTable): Float32Array {
  const random = seededRandom(1);
  const inner = shape.slice(channelAxis + 1).reduce((product, size) => product * size, 1);
  const count = shape.reduce((product, size) => product * size, 1);
  const all = new Float32Array(count);
  for (let at = 0; at < count; at++) {
    const { values } = channels[Math.floor(at / inner) % channels.length] as { values: Float32Array };
    const level = random() < UNUSUAL ? Math.floor(random() * values.length) : 0;
    all[at] = values[level] as number;
  }
  return all;
}
