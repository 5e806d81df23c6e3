// Writes codecs.json: coded payloads as bytes (hex), with the values and level tables that they are of. Run `npm run build`
// first, then this file. The vectors are codec version 1: a change here is a new version unless it only adds vectors.
import { readFileSync, writeFileSync } from 'node:fs';
import {
  decodeActivation,
  encodeActivation,
  learnPriors,
  makeTensor,
  quantiseLevels,
  readLevelTable,
  writeLevelTable,
} from '../../packages/protocol/dist/index.js';

const hex = (bytes) => Buffer.from(bytes).toString('hex');

/** Discs on a quiet ground. Multiples of 1/64, so that the file holds every bit. */
function discs(shape, seed, lowest) {
  const count = shape.reduce((product, size) => product * size, 1);
  const columns = shape.at(-1);
  return Float32Array.from({ length: count }, (_, at) => {
    const row = Math.floor(at / columns);
    const noise = ((at * 2654435761 + seed * 40503) >>> 0) % 61;
    const disc = (row * row * 3 + (at % columns) * (at % columns) * 5 + seed * 7) % 97 < 31 ? 120 : 0;
    return Math.max(lowest * 64, disc + noise - 44) / 64;
  });
}

const uniform = (count, lowest) => ({
  thresholds: Float32Array.from({ length: count - 1 }, (_, at) => lowest + at + 0.625),
  values: Float32Array.from({ length: count }, (_, at) => lowest + at),
});

function table(channels, rank, channelAxis, rest = {}) {
  const order = channels.map((_, index) => channels.length - 1 - index);
  return { channelAxis, rank, channels, order, groups: [channels.length], priors: null, golden: null, restoration: null, ...rest };
}

const picture = [2, 4, 7, 9];
const three = table([uniform(3, 0), uniform(1, 0), uniform(2, 0), uniform(4, 0)], 4, 1, { groups: [1, 3] });
const signed = table([uniform(5, -2), uniform(7, -3), uniform(40, -9), uniform(3, -1)], 4, 1);
const tokens = table([uniform(3, 0), uniform(5, -2), uniform(3, 0)], 3, 2);
const golden = {
  shape: [1, 4, 7, 9],
  levels: quantiseLevels(discs([1, 4, 7, 9], 1, -2), [1, 4, 7, 9], signed),
};
const sample = (of, shape, seed, lowest) => ({ shape, levels: quantiseLevels(discs(shape, seed, lowest), shape, of) });
const learned = learnPriors({ ...signed, golden }, [sample(signed, picture, 1, -2), sample(signed, picture, 2, -2)]);

/** Each from itself, the next channel and what is around. */
const restoration = signed.channels.map((_, channel) => ({
  sources: Uint16Array.of(channel, (channel + 1) % 4),
  weights: Float32Array.of(0.0625, channel === 2 ? 0 : 0.1, 0.55, -0.3),
}));

/** Tables whose magnitudes are told one by one are not made any more: those of the file stay. */
const before = JSON.parse(readFileSync(new URL('codecs.json', import.meta.url), 'utf8')).vectors;
const tableOf = (name) => readLevelTable(Buffer.from(before.find((vector) => vector.name === name).table, 'hex'), 'ab'.repeat(32));
const oneByOne = tableOf('levels with priors and a golden part');
const restored = tableOf('levels that are restored');

const cases = [
  ['lossless', { kind: 'lossless' }, picture, 1, 0],
  ['lossless mask', { kind: 'lossless' }, [1, 1, 40, 36], 4, 0, 'uint8'],
  ['float16', { kind: 'float16' }, picture, 1, 0],
  ['uint8 of the tensor', { kind: 'uint8', channelAxis: null }, picture, 1, 0],
  ['uint8 of channels', { kind: 'uint8', channelAxis: 1 }, picture, 2, -1],
  ['levels in two groups', { kind: 'levels', table: three }, picture, 1, 0],
  ['levels with signs', { kind: 'levels', table: signed }, picture, 1, -2],
  ['levels with priors and a golden part', { kind: 'levels', table: oneByOne }, [1, 4, 7, 9], 1, -2],
  ['levels with priors, unlike the golden part', { kind: 'levels', table: oneByOne }, [1, 4, 7, 9], 5, -2],
  ['levels that are restored', { kind: 'levels', table: restored }, picture, 3, -2],
  ['levels with magnitudes in groups', { kind: 'levels', table: learned }, [1, 4, 7, 9], 1, -2],
  ['levels with magnitudes in groups, restored', { kind: 'levels', table: { ...learned, golden: null, restoration } }, picture, 4, -2],
  ['levels of tokens', { kind: 'levels', table: tokens }, [2, 31, 3], 3, -1],
];

const vectors = cases.map(([name, codec, shape, seed, lowest, dtype = 'float32']) => {
  const floats = discs(shape, seed, lowest);
  const values = dtype === 'uint8' ? Uint8Array.from(floats, (value) => (value > 1.5 ? 200 : 0)) : floats;
  const data = new Uint8Array(values.buffer);
  const bytes = codec.kind === 'levels' ? writeLevelTable(codec.table) : null;
  const known = bytes === null ? codec : { kind: 'levels', table: readLevelTable(bytes, 'ab'.repeat(32)) };
  const payload = encodeActivation(makeTensor(dtype, shape, data), known);
  if (payload.codec.kind !== codec.kind) throw new Error(`${JSON.stringify(name)} was not sent by its codec`);
  const tables = new Map(bytes === null ? [] : [['ab'.repeat(32), known.table]]);
  const decoded = decodeActivation({ ...payload, dtype, shape }, tables, data.byteLength).data;
  const axis = codec.channelAxis === undefined ? {} : { channelAxis: codec.channelAxis };
  return {
    name,
    kind: codec.kind,
    dtype,
    ...axis,
    shape,
    values: hex(data),
    ...(bytes === null ? {} : { table: hex(bytes) }),
    payload: hex(payload.bytes),
    ...(known.table?.restoration ? { decoded: hex(decoded) } : {}),
  };
});
writeFileSync(new URL('codecs.json', import.meta.url), `${JSON.stringify({ version: 1, vectors }, null, 1)}\n`);
