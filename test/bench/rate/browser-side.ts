// Runs in a page: activations and pictures that it fetches -> the time to code them there, and a hash of the bytes.
import { type ActivationCodec, decodeActivation, encodeActivation, makeTensor, readLevelTable } from '@kerf/protocol';

/** A codec as JSON; level tables are files. */
export type CodecRequest =
  | Exclude<ActivationCodec, { kind: 'levels' }>
  | { readonly kind: 'levels'; readonly id: string; readonly file: string };

export interface TimeRequest {
  readonly codec: CodecRequest;
  /** Files of float32 values, all of this shape. */
  readonly files: readonly string[];
  readonly shape: readonly number[];
  /** Rounds over all files after one that warms up. */
  readonly rounds: number;
}

export interface Timed {
  /** Medians. */
  readonly encodeMs: number;
  readonly decodeMs: number;
  /** SHA-256 of all payloads of a round, one behind the other. */
  readonly sha256: string;
}

export async function timeCodec({ codec: request, files, shape, rounds }: TimeRequest): Promise<Timed> {
  const codec = await codecOf(request);
  const tables = new Map(codec.kind === 'levels' ? [[codec.table.id, codec.table]] : []);
  const tensors = await Promise.all(files.map(async (file) => makeTensor('float32', shape, await fetched(file))));
  const encodeMs: number[] = [];
  const decodeMs: number[] = [];
  let payloads: Uint8Array[] = [];
  for (let round = 0; round <= rounds; round++) {
    payloads = [];
    for (const tensor of tensors) {
      const startMs = performance.now();
      const coded = encodeActivation(tensor, codec);
      const sentMs = performance.now();
      decodeActivation({ ...coded, dtype: 'float32', shape }, tables, tensor.data.byteLength);
      if (round > 0) decodeMs.push(performance.now() - sentMs);
      if (round > 0) encodeMs.push(sentMs - startMs);
      payloads.push(coded.bytes);
    }
  }
  return { encodeMs: middle(encodeMs), decodeMs: middle(decodeMs), sha256: await hashOf(payloads) };
}

export interface TimeImageRequest {
  /** Files of RGBA pixels, all of this size. */
  readonly files: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly type: 'image/png' | 'image/jpeg' | 'image/webp';
  /** 0 to 1. */
  readonly quality: number;
  readonly rounds: number;
}

/** As the browser itself codes pictures. */
export async function timeImage(request: TimeImageRequest): Promise<Omit<Timed, 'sha256'>> {
  const { files, width, height, type, quality, rounds } = request;
  const encodeMs: number[] = [];
  const decodeMs: number[] = [];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const pictures = await Promise.all(
    files.map(async (file) => new ImageData(new Uint8ClampedArray(await fetchedBuffer(file)), width, height)),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const picture of pictures) {
      const startMs = performance.now();
      context.putImageData(picture, 0, 0);
      const blob = await canvas.convertToBlob({ type, quality });
      const sentMs = performance.now();
      const bitmap = await createImageBitmap(blob);
      context.drawImage(bitmap, 0, 0);
      context.getImageData(0, 0, width, height);
      if (round > 0) decodeMs.push(performance.now() - sentMs);
      if (round > 0) encodeMs.push(sentMs - startMs);
      bitmap.close();
    }
  }
  return { encodeMs: middle(encodeMs), decodeMs: middle(decodeMs) };
}

async function codecOf(request: CodecRequest): Promise<ActivationCodec> {
  if (request.kind !== 'levels') return request;
  return { kind: 'levels', table: readLevelTable(await fetched(request.file), request.id) };
}

async function fetchedBuffer(file: string): Promise<ArrayBuffer> {
  return await (await fetch(file)).arrayBuffer();
}

async function fetched(file: string): Promise<Uint8Array> {
  return new Uint8Array(await fetchedBuffer(file));
}

export async function hashOf(parts: readonly Uint8Array[]): Promise<string> {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function middle(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}
