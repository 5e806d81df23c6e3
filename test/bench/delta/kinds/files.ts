// Pairs of files that are no models: texts, tables, programs, archives, pictures, weights of other formats.
import { readFileSync } from 'node:fs';
import { deflateSync, gzipSync } from 'node:zlib';
import { bytesOf } from '@kerf/protocol';
import { inModules } from '../places.ts';
import type { MadePair } from './made-model.ts';
import { joined, noiseBytes, normals, prose, randomOf, redrawn, weights, whole } from './random.ts';
import { texts } from './texts.ts';

const UTF8 = new TextEncoder();

function file(name: string, extension: string, old: Uint8Array, fresh: Uint8Array): MadePair {
  return { name, extension, old, fresh };
}

function numbers(): MadePair[] {
  const random = randomOf(21);
  const values = weights(400, 100, random);
  const noise = normals(values.length, 1e-4, random);
  const tuned = values.map((value, at) => value + (noise[at] as number));
  const header = (name: string, length: number): Uint8Array => {
    const json = UTF8.encode(
      JSON.stringify({ [name]: { dtype: 'F32', shape: [400, 100], data_offsets: [0, length] } }),
    );
    const size = new Uint8Array(8);
    size[0] = json.byteLength & 255;
    size[1] = json.byteLength >> 8;
    return joined([size, json]);
  };
  const tensors = (name: string, list: Float32Array): Uint8Array =>
    joined([header(name, list.byteLength), bytesOf(list)]);
  const sound = Int16Array.from(
    { length: 40_000 },
    (_, at) => 8000 * Math.sin(at / 30) * Math.sin(at / 3000) + 40 * (random() - 0.5),
  );
  const picture = Uint8Array.from(
    { length: 120_000 },
    (_, at) => 128 + 60 * Math.sin((at % 400) / 40) + 50 * Math.sin(at / 16_000) + 6 * random(),
  );
  const eight = Int8Array.from(values, (value) => Math.max(-127, Math.min(127, Math.round(value * 900))));
  return [
    file('safetensors, fine-tuned', '.safetensors', tensors('w', values), tensors('w', tuned)),
    file(
      'safetensors, fine-tuned, header longer by an odd number',
      '.safetensors',
      tensors('w', values),
      tensors('model.layer.w', tuned),
    ),
    file('float32 weights, unrelated', '.bin', bytesOf(values), bytesOf(weights(400, 100, randomOf(22)))),
    file(
      'float32 weights, some changed',
      '.bin',
      bytesOf(values),
      bytesOf(redrawn(values, 0.01, random, (value) => value + 0.01)),
    ),
    file(
      'int8 weights, some changed',
      '.bin',
      bytesOf(eight),
      bytesOf(redrawn(eight, 0.05, random, (value) => value + 1)),
    ),
    file(
      'int8 weights, requantised',
      '.bin',
      bytesOf(eight),
      bytesOf(Int8Array.from(values, (value) => Math.max(-127, Math.min(127, Math.round(value * 930))))),
    ),
    file('float64 numbers, moved', '.bin', bytesOf(Float64Array.from(values)), bytesOf(Float64Array.from(tuned))),
    file('sound, more of it', '.pcm', bytesOf(sound.slice(0, 30_000)), bytesOf(sound)),
    file('sound, louder', '.pcm', bytesOf(sound), bytesOf(sound.map((value) => value * 1.1))),
    file(
      'grey picture, brighter by one',
      '.bmp',
      picture,
      picture.map((value) => value + 1),
    ),
    file(
      'grey picture, another crop',
      '.bmp',
      picture,
      picture.map((_, at) => picture[(at + 1207) % picture.length] as number),
    ),
  ];
}

function programs(): MadePair[] {
  const wasm = (name: string): Uint8Array => readFileSync(inModules(`onnxruntime-web/dist/${name}`));
  const part = (bytes: Uint8Array, from: number, to: number): Uint8Array => bytes.subarray(from, to);
  const [plain, asyncify] = [wasm('ort-wasm-simd-threaded.wasm'), wasm('ort-wasm-simd-threaded.jsep.wasm')];
  return [
    file(
      'wasm, another build (part)',
      '.wasm',
      part(plain, 1_000_000, 1_300_000),
      part(asyncify, 1_000_000, 1_300_000),
    ),
    file(
      'wasm, a part cut out',
      '.wasm',
      part(plain, 2_000_000, 2_300_000),
      joined([part(plain, 2_000_000, 2_100_000), part(plain, 2_101_000, 2_300_000)]),
    ),
    file(
      'wasm, addresses moved',
      '.wasm',
      part(plain, 3_000_000, 3_250_000),
      shifted(part(plain, 3_000_000, 3_250_000)),
    ),
    file('script, another build', '.mjs', wasm('ort.min.mjs'), wasm('ort.wasm.min.mjs')),
    file(
      'native library to itself, patched',
      '.so',
      part(plain, 5_000_000, 5_200_000),
      patched(part(plain, 5_000_000, 5_200_000)),
    ),
  ];
}

/** A program whose addresses all moved by the same: every 16th word up by 64. */
function shifted(bytes: Uint8Array): Uint8Array {
  const fresh = new Uint8Array(bytes);
  const view = new DataView(fresh.buffer);
  for (let at = 0; at + 4 <= fresh.length; at += 64) view.setUint32(at, view.getUint32(at, true) + 64, true);
  return fresh;
}

function patched(bytes: Uint8Array): Uint8Array {
  const fresh = new Uint8Array(bytes);
  for (let at = 900; at < fresh.length; at += 20_011) fresh[at] = ((fresh[at] as number) + 1) & 255;
  return fresh;
}

function archives(): MadePair[] {
  const random = randomOf(31);
  const parts = Array.from({ length: 12 }, () => UTF8.encode(prose(1500, random)));
  const other = parts.map((bytes, at) => (at === 4 ? UTF8.encode(prose(1500, random)) : bytes));
  const block = (bytes: Uint8Array): Uint8Array => joined([bytes, new Uint8Array((512 - (bytes.length % 512)) % 512)]);
  const tar = (list: readonly Uint8Array[]): Uint8Array =>
    joined(list.flatMap((bytes, at) => [block(UTF8.encode(`file${at}.txt ${bytes.length}`)), block(bytes)]));
  const zip = (list: readonly Uint8Array[]): Uint8Array =>
    joined(list.flatMap((bytes, at) => [UTF8.encode(`PK${at}`), deflateSync(bytes)]));
  const noise = noiseBytes(60_000, random);
  const swapped = joined([noise.subarray(20_000, 40_000), noise.subarray(0, 20_000), noise.subarray(40_000)]);
  return [
    file('archive, one file of twelve', '.tar', tar(parts), tar(other)),
    file('archive, files in another order, one edited', '.tar', tar(parts), tar([...other].reverse())),
    file('compressed archive, one file of twelve', '.zip', zip(parts), zip(other)),
    file('compressed whole', '.gz', gzipSync(joined(parts)), gzipSync(joined(other))),
    file('noise, unrelated', '.bin', noise, noiseBytes(60_000, random)),
    file('noise, blocks in another order', '.bin', noise, swapped),
    file('noise, a byte in front', '.bin', noise, joined([Uint8Array.of(7), noise])),
    file(
      'noise, every 100th byte',
      '.bin',
      noise,
      redrawn(noise, 0.01, random, (value) => value ^ 255),
    ),
    file('the same twice', '.bin', noise, joined([noise, noise])),
    file('identical', '.bin', noise, noise),
    file('nothing to something', '.txt', new Uint8Array(0), parts[0] as Uint8Array),
    file('something to nothing', '.txt', parts[0] as Uint8Array, new Uint8Array(0)),
    file('one byte', '.bin', Uint8Array.of(1), Uint8Array.of(2)),
    file('zeros', '.bin', new Uint8Array(100_000), new Uint8Array(150_000)),
    file('records of 20 bytes, a field counts on', '.db', records(0), records(1)),
  ];
}

function records(version: number): Uint8Array {
  const own = randomOf(32);
  const bytes = new Uint8Array(4000 * 20);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < 4000; at++) {
    view.setUint32(at * 20, at, true);
    view.setUint32(at * 20 + 4, 1_700_000_000 + whole(1e6, own) + version * 86_400, true);
    view.setFloat64(at * 20 + 8, Math.round(own() * 1e4) / 100, true);
    view.setUint32(at * 20 + 16, whole(4, own), true);
  }
  return bytes;
}

export function filePairs(): MadePair[] {
  return [...texts(), ...numbers(), ...programs(), ...archives()];
}
