// Levels <-> a payload: groups of channels, each behind its length, so that what is cut off after a group still decodes.
import { ByteSink, ByteSource, damagedPayload } from './byte-sink.ts';
import type { MachineMaker } from './level-machine.ts';
import type { LevelTable } from './level-table.ts';
import { reconstructLevels } from './level-values.ts';
import { fitsGolden, LevelWalk, resemblesGolden } from './level-walk.ts';
import { quantiseLevels } from './levels.ts';

/** First byte of a payload: 1 where the golden part was looked at. */
const FLAG = { golden: 1 } as const;

/**
 * Codes the levels of a tensor.
 * @param levels as `quantiseLevels` gives them
 * @param maxBytes the payload ends with the last group that fits; the first is always there
 * @throws {KerfError} TENSOR_MISMATCH when the shape is not one that the table is for.
 */
export function encodeLevels(
  levels: Uint8Array,
  shape: readonly number[],
  table: LevelTable,
  maxBytes = Number.POSITIVE_INFINITY,
  machineFor?: MachineMaker,
): Uint8Array {
  const withGolden = resemblesGolden(levels, shape, table);
  const walk = new LevelWalk(shape, table, { withGolden, machineFor });
  try {
    walk.levels.set(levels);
    const sink = new ByteSink(levels.length >> 3);
    sink.byte(withGolden ? FLAG.golden : 0);
    const coder = walk.encoder();
    for (let group = 0; group < table.groups.length; group++) {
      walk.codeGroup(coder, group);
      const bytes = coder.finish();
      const start = sink.length;
      sink.count(bytes.byteLength);
      sink.append(bytes);
      if (group === 0 || sink.length <= maxBytes) continue;
      sink.length = start;
      break;
    }
    return sink.written();
  } finally {
    walk.release();
  }
}

/** float32 values -> payload. @throws {KerfError} TENSOR_MISMATCH when the shape is not one that the table is for. */
export function encodeLevelValues(
  values: Float32Array,
  shape: readonly number[],
  table: LevelTable,
  maxBytes?: number,
): Uint8Array {
  return encodeLevels(quantiseLevels(values, shape, table), shape, table, maxBytes);
}

/**
 * The tensor of a payload; channels that it lacks count as their mean.
 * @throws {KerfError} MESSAGE_MALFORMED for damaged bytes, TENSOR_MISMATCH when the shape is not one of the table.
 */
export function decodeLevelValues(
  bytes: Uint8Array,
  shape: readonly number[],
  table: LevelTable,
  machineFor?: MachineMaker,
): Float32Array {
  const source = new ByteSource(bytes);
  const flags = source.byte();
  if (flags > FLAG.golden || (flags !== 0 && !fitsGolden(shape, table)))
    throw damagedPayload(`it has unknown flags ${flags}`);
  const walk = new LevelWalk(shape, table, { withGolden: flags === FLAG.golden, machineFor });
  let groups = 0;
  let levels: Uint8Array;
  try {
    groups = decodeGroups(source, walk, table);
    if (groups === 0 && walk.levels.length > 0) throw damagedPayload('it has no group');
    // What makes values of them may need the memory that they are in.
    levels = walk.levels.slice();
  } finally {
    walk.release();
  }
  return reconstructLevels(levels, shape, table, groups);
}

/** @returns how many there are */
function decodeGroups(source: ByteSource, walk: LevelWalk, table: LevelTable): number {
  const coder = walk.decoder();
  let groups = 0;
  for (; source.at < source.bytes.byteLength; groups++) {
    if (groups === table.groups.length) throw damagedPayload('it has more groups than its table');
    coder.start(source.take(source.count()));
    walk.codeGroup(coder, groups);
    coder.end();
  }
  return groups;
}
