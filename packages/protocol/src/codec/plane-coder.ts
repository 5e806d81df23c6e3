// A plane of bytes (one byte of every element) <-> blocks, each in the form that takes least; flat pictures as a whole.

import { type ByteSink, type ByteSource, damagedPayload } from './byte-sink.ts';
import { decodeFlatPlane, encodeFlatPlane, isFlatPlane, MAX_FLAT_BYTES } from './flat-plane.ts';
import { decodeRans, encodeRans, frequenciesOf, histogramOf, ransBytes } from './rans.ts';

/** Statistics are taken anew this often; a table of frequencies is up to 1 % of it. */
const BLOCK_BYTES = 65_536;

/** First byte of a block. `flat` stands only at the start of a plane, and is all of it. */
const FORM = { raw: 0, constant: 1, rans: 2, flat: 3 } as const;

/** Coding must save this share of a block: rANS over noise costs time and saves nothing. */
const LEAST_SAVING = 1 / 128;

/**
 * Codes a plane. It takes at most one byte in 65,536 more than the plane itself.
 * @param rowBytes width of the picture that the plane is, for the neighbour above; 0 where it is no picture
 */
export function encodePlane(plane: Uint8Array, rowBytes: number, sink: ByteSink): void {
  const start = sink.length;
  for (let at = 0; at < plane.length; at += BLOCK_BYTES) encodeBlock(plane.subarray(at, at + BLOCK_BYTES), sink);
  if (rowBytes === 0 || !isFlatPlane(plane)) return;
  const flat = encodeFlatPlane(plane, rowBytes);
  if (flat.byteLength + 4 >= sink.length - start) return;
  sink.length = start;
  sink.byte(FORM.flat);
  sink.count(flat.byteLength);
  sink.append(flat);
}

function encodeBlock(block: Uint8Array, sink: ByteSink): void {
  const counts = histogramOf(block);
  const first = block[0] as number;
  if (counts[first] === block.length) {
    sink.byte(FORM.constant);
    sink.byte(first);
  } else if (ransBytes(counts, block.length) < block.length * (1 - LEAST_SAVING)) {
    sink.byte(FORM.rans);
    encodeRans(block, frequenciesOf(counts, block.length), sink);
  } else {
    sink.byte(FORM.raw);
    sink.append(block);
  }
}

/** Fills `plane`. @throws {KerfError} MESSAGE_MALFORMED. */
export function decodePlane(source: ByteSource, rowBytes: number, plane: Uint8Array): void {
  for (let at = 0; at < plane.length; at += BLOCK_BYTES) {
    const form = source.byte();
    if (form === FORM.flat && at === 0 && rowBytes > 0 && plane.length <= MAX_FLAT_BYTES) {
      decodeFlatPlane(source, rowBytes, plane);
      return;
    }
    decodeBlock(source, form, plane.subarray(at, at + BLOCK_BYTES));
  }
}

function decodeBlock(source: ByteSource, form: number, block: Uint8Array): void {
  if (form === FORM.raw) block.set(source.take(block.length));
  else if (form === FORM.constant) block.fill(source.byte());
  else if (form === FORM.rans) decodeRans(source, block);
  else throw damagedPayload(`a block has the unknown form ${form}`);
}
