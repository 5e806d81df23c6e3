// Writes deltas.json: deltas of every operation, with their base and the hash of what they make. Run `npm run build` first.
// The vectors are the format: a change here is a new version of it unless it only adds vectors.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { deltaBytesOf, encodeDelta, memoryReader, modelLayout } from '../../packages/delta-sync/dist/index.js';
import { encodeIndex } from '../../packages/delta-sync/dist/format/patch-index.js';
import { SegmentBuilder } from '../../packages/delta-sync/dist/encode/segment-builder.js';
import { turnedCandidate } from '../../packages/delta-sync/dist/encode/tensor-candidates.js';
import { buildModel, readModel } from '../../packages/onnx/dist/index.js';
import { makeTensor, seededRandom } from '../../packages/protocol/dist/index.js';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const base64 = (bytes) => Buffer.from(bytes).toString('base64');

function normal(count, scale, seed) {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => (random() + random() + random() + random() - 2) * 1.73 * scale);
}

const bytesOf = (values) => new Uint8Array(values.buffer.slice(0));

function modelOf(dtype, shape, data, name = 'w') {
  return buildModel({
    nodes: [{ op: 'Identity', inputs: [name], outputs: ['y'] }],
    outputs: [{ name: 'y' }],
    initializers: [{ name, tensor: makeTensor(dtype, shape, data) }],
  });
}

function source(name, bytes, isModel) {
  const tensors = isModel ? modelLayout(readModel(bytes)).get('') : [];
  return { name, reader: memoryReader(bytes), sha256: sha256(bytes), tensors, isModel };
}

const SHAPE = [64, 80];
const COUNT = SHAPE[0] * SHAPE[1];
const old = normal(COUNT, 0.05, 1);
const small = normal(COUNT, 5e-5, 2);
const left = normal(64 * 2, 0.03, 3);
const right = normal(2 * 80, 0.03, 4);
const floats = (change) => modelOf('float32', SHAPE, bytesOf(old.map(change)));
const oldModel = floats((value) => value);
const random = seededRandom(5);
const integers = Uint8Array.from({ length: COUNT }, () => Math.floor(random() * 256));
const moved = integers.map((value) => (random() < 0.2 ? value + Math.floor(3 * random()) - 1 : value));
const halves = (values) => Uint16Array.from(values, (value) => 0x2c00 + Math.round(value * 9000));
const text = (word) => new TextEncoder().encode(`${'the quick brown fox '.repeat(30)}${word}${' jumps over'.repeat(40)}`);

/** Rounded down: some differ by one from what a rule makes of them. */
const asHalves = (values) =>
  Uint16Array.from(values, (value) => {
    const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
    const exponent = ((bits >>> 23) & 255) - 112;
    return ((bits >>> 16) & 0x8000) | (exponent > 0 ? (exponent << 10) | ((bits >>> 13) & 1023) : 0);
  });
const longs = (by) => bytesOf(BigInt64Array.from({ length: 1000 }, (_, at) => BigInt(((at * 7919) % 30_011) + by)));

/** A little noise on it: what goes on smoothly. */
const curve = (period) => Uint16Array.from({ length: 3000 }, (_, at) => 20_000 + 15_000 * Math.sin(at / period) + ((at * 7919) % 5));
const noise = Uint8Array.from({ length: 2000 }, () => Math.floor(random() * 256));

const CASES = [
  ['copy', oldModel, modelOf('float32', SHAPE, bytesOf(old), 'renamed'), true],
  ['differences of float32', oldModel, floats((value, at) => value + small[at]), true],
  ['differences of float16', modelOf('float16', SHAPE, bytesOf(halves(old))), modelOf('float16', SHAPE, bytesOf(halves(old.map((v, at) => v + 4 * small[at])))), true],
  ['differences of int8', modelOf('int8', SHAPE, integers), modelOf('int8', SHAPE, moved), true],
  ['differences of int4', modelOf('int4', [64, 160], integers), modelOf('int4', [64, 160], moved), true],
  ['snap', oldModel, floats((value, at) => value + 3e-5 * Math.round(small[at] * 3e4)), true],
  ['low rank', oldModel, floats((value, at) => value + Math.fround(left[2 * Math.floor(at / 80)] * right[at % 80] + left[2 * Math.floor(at / 80) + 1] * right[80 + (at % 80)])), true],
  ['byte planes', oldModel, modelOf('float32', SHAPE, bytesOf(normal(COUNT, 3, 6))), true],
  ['derived: float32 to float16', oldModel, modelOf('float16', SHAPE, bytesOf(asHalves(old))), true],
  ['derived: float32 to int8', oldModel, modelOf('int8', SHAPE, new Uint8Array(Int8Array.from(old, (value) => Math.round(value / 0.0014)).buffer)), true],
  ['derived: pruned, then scaled by row', oldModel, floats((value, at) => (Math.abs(value) < 0.02 ? 0 : value * Math.fround(0.5 + Math.floor(at / 80) / 64))), true],
  ['added', modelOf('int64', [1000], longs(0)), modelOf('int64', [1000], longs(17)), true],
  ['turned', oldModel, modelOf('float32', [80, 64], bytesOf(old.map((_, at) => old[(at % 64) * 80 + Math.floor(at / 64)] + small[at]))), true],
  ['cumulative', modelOf('uint16', [3000], bytesOf(curve(300))), modelOf('uint16', [3000], bytesOf(curve(270))), true],
  ['a run in a text', new Uint8Array(0), Uint8Array.from({ length: 3 * noise.length }, (_, at) => noise[at % noise.length]), false],
  ['text', text('dog'), text('a much larger cat'), false],
];

const vectors = [];
for (const [name, before, after, isModel] of CASES) {
  const base = [source('old', before, isModel)];
  const { chunks, report } = await encodeDelta({ base, target: [source('new', after, isModel)] });
  const strategies = [...new Set(report.parts.map(({ strategy }) => strategy))];
  vectors.push({ name, strategies, base: base64(before), delta: base64(deltaBytesOf(chunks)), sha256: sha256(after) });
}

/** What bsdiff 4.3 makes of the two texts. */
const PATCH = Buffer.from(
  'QlNESUZGNDBHAAAAAAAAAC0AAAAAAAAAIQQAAAAAAABCWmg5MUFZJlNZ2GYEdwAA42JIeBwwAABAQABAQCAAUIBoAE' +
  'UQQb1L0AnmfxQrQorJMKJIiErAocr6wEl9F3JFOFCQ2GYEd0JaaDkxQVkmU1k+JMQ2AAACYADAAEAAAAggACCqbUGY' +
  'ijni7kinChIHxJiGwEJaaDkxQVkmU1nMokMmAAABkYBAACrGFgAgADEA000EAaZBFIgcjdsi3eLuSKcKEhmUSGTA',
  'base64',
);
/** A delta of one segment that was built by hand, of what no encoder writes for so small a file. */
function byHand(name, strategy, before, after, build) {
  const builder = new SegmentBuilder(4);
  build(builder);
  const { payload, baseBytes, version } = builder.finish();
  const file = (named, bytes) => ({ name: named, bytes: bytes.byteLength, sha256: sha256(bytes) });
  const segment = { kind: 'output', baseBytes, payloadBytes: payload.byteLength, ...file('', after) };
  const index = encodeIndex([file('old', before)], [file('new', after)], [segment], version);
  const delta = base64(deltaBytesOf([index, payload]));
  vectors.push({ name, strategies: [strategy], base: base64(before), delta, sha256: sha256(after) });
}

const [before, after] = [text('dog'), text('a much larger cat')];
byHand('bsdiff', 'bsdiff', before, after, (builder) =>
  builder.bsdiff({ offset: 0, bytes: before.byteLength }, after.byteLength, PATCH),
);

/** The old matrix of 64 by 80, turned over and trained, in parts of 30 and 50 rows. */
const over = old.map((_, at) => old[(at % 64) * 80 + Math.floor(at / 64)] + small[at]);
byHand('turned in parts', 'turned', bytesOf(old), bytesOf(over), (builder) => {
  for (const [first, end] of [[0, 30], [30, 80]]) {
    const rows = end - first;
    const part = Float32Array.from({ length: 64 * rows }, (_, at) => old[Math.floor(at / rows) * 80 + first + (at % rows)]);
    const fields = { op: 'turnedPart', kind: 0, dims: [64, rows], axes: [1, 0], base: 4 * first, whole: 80 };
    const { operation, write } = turnedCandidate(fields, bytesOf(part), bytesOf(over.slice(64 * first, 64 * end)));
    builder.add(operation, write);
  }
});

writeFileSync(new URL('deltas.json', import.meta.url), `${JSON.stringify({ formatVersion: 4, vectors }, null, 1)}\n`);
for (const { name, strategies, delta } of vectors) console.log(name, strategies.join(' '), Math.round(delta.length * 0.75));
