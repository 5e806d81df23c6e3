// A level table <-> the bytes of its file. The same table gives the same bytes; any bytes give a table or an error.
import { KerfError, messageOf } from '../errors.ts';
import { ByteSink, ByteSource } from './byte-sink.ts';
import { magnitudeCount } from './level-magnitudes.ts';
import { MAX_SETS, modelCount } from './level-models.ts';
import {
  checkLevelTable,
  type GoldenLevels,
  type LevelChannel,
  type LevelPriors,
  type LevelTable,
  MAX_LEVEL_CHANNELS,
  MAX_SOURCES,
  type RestoredChannel,
} from './level-table.ts';
import { decodePlane, encodePlane } from './plane-coder.ts';

/** "KLT" and the version of the file. */
const MAGIC = [0x4b, 0x4c, 0x54, 1];
/** Levels of a golden part at most, 16 MiB: nothing larger is made of a file that says so. */
const MAX_GOLDEN_LEVELS = 1 << 24;
const PRIORS = 1;
const GOLDEN = 2;
const RESTORATION = 4;
/** With priors only. */
const MAGNITUDES = 8;

/** The table without its id, which is the SHA-256 of these bytes. @throws {KerfError} INVALID_ARGUMENT. */
export function writeLevelTable(table: Omit<LevelTable, 'id'>): Uint8Array {
  checkLevelTable({ ...table, id: '' });
  const { rank, channelAxis, channels, order, groups, priors, golden, restoration } = table;
  const sink = new ByteSink(4096);
  for (const byte of MAGIC) sink.byte(byte);
  sink.byte(
    (priors === null ? 0 : PRIORS) |
      (golden === null ? 0 : GOLDEN) |
      (restoration === null ? 0 : RESTORATION) |
      (priors === null || priors.magnitudes === null ? 0 : MAGNITUDES),
  );
  sink.byte(rank);
  sink.byte(channelAxis);
  sink.count(channels.length);
  for (const { thresholds, values } of channels) {
    sink.byte(values.length);
    writeFloats(sink, thresholds);
    writeFloats(sink, values);
  }
  for (const channel of order) sink.count(channel);
  sink.count(groups.length);
  for (const size of groups) sink.count(size);
  if (priors !== null) writePriors(sink, priors);
  if (golden !== null) writeGolden(sink, golden);
  for (const channel of restoration ?? []) writeRestored(sink, channel);
  return sink.written().slice();
}

/**
 * @param id what the table is known by: the hex SHA-256 of the bytes, which the caller has checked
 * @throws {KerfError} MANIFEST_INVALID.
 */
export function readLevelTable(bytes: Uint8Array, id: string): LevelTable {
  try {
    const source = new ByteSource(bytes);
    for (const byte of MAGIC) if (source.byte() !== byte) throw new Error('it has another format or version');
    const parts = source.byte();
    if (parts > (PRIORS | GOLDEN | RESTORATION | MAGNITUDES)) {
      throw new Error('it has parts that this version does not know');
    }
    if ((parts & MAGNITUDES) !== 0 && (parts & PRIORS) === 0) throw new Error('it has magnitudes without priors');
    const rank = source.byte();
    const channelAxis = source.byte();
    const count = readCount(source, MAX_LEVEL_CHANNELS);
    const channels = repeat(count, () => readChannel(source));
    const order = repeat(count, () => readCount(source, count));
    const groups = repeat(readCount(source, count), () => readCount(source, count));
    const priors = (parts & PRIORS) === 0 ? null : readPriors(source, count, (parts & MAGNITUDES) !== 0);
    const golden = (parts & GOLDEN) === 0 ? null : readGolden(source, rank);
    const restoration = (parts & RESTORATION) === 0 ? null : repeat(count, () => readRestored(source, count));
    source.end();
    const table = { id, channelAxis, rank, channels, order, groups, priors, golden, restoration };
    checkLevelTable(table);
    return table;
  } catch (cause) {
    throw new KerfError(
      'MANIFEST_INVALID',
      `a level table cannot be read (${messageOf(cause)}); give both sides the same calibrated split`,
      { cause },
    );
  }
}

function readChannel(source: ByteSource): LevelChannel {
  const count = source.byte();
  if (count === 0) throw new Error('a channel has no value');
  return { thresholds: readFloats(source, count - 1), values: readFloats(source, count) };
}

function writePriors(sink: ByteSink, { usual, means, sets, firsts, seconds, models, magnitudes }: LevelPriors): void {
  sink.append(usual);
  writeFloats(sink, means);
  for (const set of sets) sink.count(set);
  for (const channel of [...firsts, ...seconds]) sink.count(channel + 1);
  encodePlane(
    Uint8Array.from(models, (model) => model & 0xff),
    0,
    sink,
  );
  encodePlane(
    Uint8Array.from(models, (model) => model >> 8),
    0,
    sink,
  );
  if (magnitudes !== null) encodePlane(magnitudes, 0, sink);
}

function readPriors(source: ByteSource, count: number, hasMagnitudes: boolean): LevelPriors {
  const usual = source.take(count).slice();
  const means = readFloats(source, count);
  const sets = Uint16Array.from(repeat(count, () => readCount(source, MAX_SETS - 1)));
  const firsts = Int32Array.from(repeat(count, () => readCount(source, count) - 1));
  const seconds = Int32Array.from(repeat(count, () => readCount(source, count) - 1));
  const setCount = sets.reduce((most, set) => Math.max(most, set + 1), 1);
  const models = new Uint16Array(modelCount(setCount));
  const bytes = new Uint8Array(models.length);
  for (let shift = 0; shift < 16; shift += 8) {
    decodePlane(source, 0, bytes);
    for (let at = 0; at < models.length; at++) models[at] = (models[at] as number) | ((bytes[at] as number) << shift);
  }
  const magnitudes = hasMagnitudes ? new Uint8Array(magnitudeCount(setCount)) : null;
  if (magnitudes !== null) decodePlane(source, 0, magnitudes);
  return { usual, means, sets, firsts, seconds, models, magnitudes };
}

function writeGolden(sink: ByteSink, { shape, levels }: GoldenLevels): void {
  for (const size of shape) sink.count(size);
  encodePlane(levels, 0, sink);
}

function readGolden(source: ByteSource, rank: number): GoldenLevels {
  const shape = repeat(rank, () => readCount(source, MAX_GOLDEN_LEVELS));
  const count = shape.reduce((product, size) => product * size, 1);
  if (count > MAX_GOLDEN_LEVELS) throw new Error(`its golden part has ${count} levels`);
  const levels = new Uint8Array(count);
  decodePlane(source, 0, levels);
  return { shape, levels };
}

function writeRestored(sink: ByteSink, { sources, weights }: RestoredChannel): void {
  sink.byte(sources.length);
  for (const source of sources) sink.count(source);
  writeFloats(sink, weights);
}

function readRestored(source: ByteSource, count: number): RestoredChannel {
  const size = source.byte();
  if (size > MAX_SOURCES) throw new Error(`a channel is restored from ${size} others`);
  const sources = Uint16Array.from(repeat(size, () => readCount(source, count - 1)));
  return { sources, weights: readFloats(source, size + 2) };
}

function readCount(source: ByteSource, most: number): number {
  const count = source.count();
  if (count > most) throw new Error(`it counts ${count} of at most ${most}`);
  return count;
}

function writeFloats(sink: ByteSink, values: Float32Array): void {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (let at = 0; at < values.length; at++) view.setFloat32(at * 4, values[at] as number, true);
  sink.append(new Uint8Array(view.buffer));
}

function readFloats(source: ByteSource, count: number): Float32Array {
  const bytes = source.take(count * 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: count }, (_, at) => view.getFloat32(at * 4, true));
}

function repeat<T>(count: number, make: () => T): T[] {
  const list: T[] = [];
  for (let at = 0; at < count; at++) list.push(make());
  return list;
}
