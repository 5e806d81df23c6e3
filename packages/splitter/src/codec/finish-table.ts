// Designed levels -> the table that is written: groups for the progressive order, the golden part, priors, and its id.
import {
  encodeLevels,
  type GoldenLevels,
  type LevelSample,
  type LevelTable,
  learnPriors,
  quantiseLevels,
  type Tensor,
  typedView,
  writeLevelTable,
} from '@kerf/protocol';
import { sha256Hex } from '../sha256.ts';

/** Groups of a payload at most; each costs a few bytes. */
const MAX_GROUPS = 8;
/** A group is at least about so large. */
const GROUP_BYTES = 512;
/** One of so many samples does not teach, where the two ways to tell magnitudes are compared. */
const HELD_OUT = 4;
/** Magnitudes told in groups are coded in about half the time, which is worth a hundredth of the bytes. */
const GROUPS_MAY_COST = 1.01;

export interface FinishedTable {
  readonly table: LevelTable;
  /** Of its file. */
  readonly bytes: Uint8Array;
}

/**
 * @param tensors what crossed in samples, finite, for the priors
 * @param golden what crosses for a part in its usual pose; null for none
 * @param bytesPerFrame about how large a payload will be
 */
export async function finishTable(
  design: LevelTable,
  tensors: readonly Tensor[],
  golden: Tensor | null,
  bytesPerFrame: number,
): Promise<FinishedTable> {
  const table = { ...design, groups: groupsOf(design, bytesPerFrame), golden: goldenLevels(design, golden) };
  const samples = tensors.map((tensor) => levelsOf(tensor, table));
  const learned = learnPriors(table, samples, { isGrouped: groupsPay(table, samples) });
  const bytes = writeLevelTable(learned);
  return { table: { ...learned, id: await sha256Hex(bytes) }, bytes };
}

/** Whether magnitudes in groups take few enough bytes in samples that did not teach; without such, nothing speaks for them. */
function groupsPay(table: LevelTable, samples: readonly LevelSample[]): boolean {
  const isHeldOut = (index: number): boolean => index % HELD_OUT === 1;
  const teaching = samples.filter((_, index) => !isHeldOut(index));
  const others = samples.filter((_, index) => isHeldOut(index));
  const bytesWith = (isGrouped: boolean): number => {
    const learned = learnPriors(table, teaching, { isGrouped });
    return others.reduce((sum, { levels, shape }) => sum + encodeLevels(levels, shape, learned).byteLength, 0);
  };
  return bytesWith(true) < bytesWith(false) * GROUPS_MAY_COST;
}

export function levelsOf(tensor: Tensor, table: LevelTable): LevelSample {
  const values = typedView(tensor as Tensor & { dtype: 'float32' });
  return { shape: tensor.shape, levels: quantiseLevels(values, tensor.shape, table) };
}

function goldenLevels(table: LevelTable, golden: Tensor | null): GoldenLevels | null {
  return golden === null ? null : levelsOf(golden, table);
}

/** Channels that are sent in even groups; those that are not sent end the last. */
function groupsOf({ channels, order }: LevelTable, bytesPerFrame: number): number[] {
  const sent = order.filter((channel) => (channels[channel]?.values.length ?? 0) > 1).length;
  const wanted = Math.min(MAX_GROUPS, Math.floor(bytesPerFrame / GROUP_BYTES), sent);
  if (wanted < 2) return [channels.length];
  const ends = Array.from({ length: wanted }, (_, at) => Math.round(((at + 1) * sent) / wanted));
  ends[wanted - 1] = channels.length;
  return ends.map((end, at) => end - (ends[at - 1] ?? 0));
}
