// Up to 65,536 bytes of one kind <-> their frequencies and two interleaved range asymmetric numeral systems (rANS).
//
// Each symbol costs -log2(frequency / 4096) bits. The two states take turns, so that the processor works on both at once.
import { type ByteSink, type ByteSource, damagedPayload } from './byte-sink.ts';

const PRECISION_BITS = 12;
const PRECISION = 1 << PRECISION_BITS;
/** A state is kept from this up to 2^31, 16 bits going in or out at a time: everything fits JavaScript's int32. */
const LEAST_STATE = 1 << 15;
const STATE_BYTES = 4;

export function histogramOf(bytes: Uint8Array): Uint32Array {
  const counts = new Uint32Array(256);
  for (let at = 0; at < bytes.length; at++) counts[bytes[at] as number] = (counts[bytes[at] as number] as number) + 1;
  return counts;
}

/** Bytes that rANS would take for these counts, table and states included; a little above what it does take. */
export function ransBytes(counts: Uint32Array, total: number): number {
  let bits = 0;
  let tableBytes = 0;
  for (const count of counts) {
    if (count === 0) continue;
    bits += count * Math.log2(total / count);
    tableBytes += count * 32 > total ? 2 : 1.2;
  }
  return bits / 8 + tableBytes + 2 * STATE_BYTES;
}

/**
 * Frequencies that sum to 4096, none of a symbol that occurs being 0.
 * @param counts of at least two different symbols
 */
export function frequenciesOf(counts: Uint32Array, total: number): Uint16Array {
  const frequencies = new Uint16Array(256);
  let left = PRECISION;
  for (let symbol = 0; symbol < 256; symbol++) {
    const count = counts[symbol] as number;
    if (count === 0) continue;
    const share = Math.max(1, Math.round((count / total) * PRECISION));
    frequencies[symbol] = share;
    left -= share;
  }
  while (left !== 0) {
    const most = frequencies.indexOf(frequencies.reduce((best, value) => Math.max(best, value), 0));
    const most0 = frequencies[most] as number;
    // Never more than half of it at once: what is too much is spread over the frequent symbols.
    const change = left > 0 ? left : Math.max(left, -(most0 >> 1));
    frequencies[most] = most0 + change;
    left -= change;
  }
  return frequencies;
}

/**
 * The table: for each symbol in order a byte below 128, or two bytes `128 + high, low`; a 0 is followed by how many more
 * symbols are 0. It ends with the symbol at which the sum is reached.
 */
function writeFrequencies(frequencies: Uint16Array, sink: ByteSink): void {
  let sum = 0;
  for (let symbol = 0; sum < PRECISION; symbol++) {
    const frequency = frequencies[symbol] as number;
    sum += frequency;
    if (frequency >= 128) sink.byte(128 | (frequency >> 8));
    sink.byte(frequency & 0xff);
    if (frequency > 0) continue;
    let run = 0;
    while (frequencies[symbol + 1 + run] === 0) run++;
    sink.byte(run);
    symbol += run;
  }
}

/** @throws {KerfError} MESSAGE_MALFORMED. */
function readFrequencies(source: ByteSource): Uint16Array {
  const frequencies = new Uint16Array(256);
  let sum = 0;
  for (let symbol = 0; sum < PRECISION; symbol++) {
    if (symbol > 255) throw damagedPayload('frequencies do not add up');
    const first = source.byte();
    if (first === 0) {
      symbol += source.byte();
      continue;
    }
    const frequency = first < 128 ? first : ((first & 127) << 8) | source.byte();
    if (frequency === 0 || frequency >= PRECISION) throw damagedPayload('a frequency is out of range');
    frequencies[symbol] = frequency;
    sum += frequency;
  }
  if (sum !== PRECISION) throw damagedPayload('frequencies do not add up');
  return frequencies;
}

/** @param symbols at least one; every one of them with a frequency */
export function encodeRans(symbols: Uint8Array, frequencies: Uint16Array, sink: ByteSink): void {
  writeFrequencies(frequencies, sink);
  const starts = startsOf(frequencies);
  const words = new Uint16Array(symbols.length);
  let at = words.length;
  let even = LEAST_STATE;
  let odd = LEAST_STATE;
  // Backwards, since decoding undoes the steps from the last to the first.
  for (let index = symbols.length - 1; index >= 0; index--) {
    const symbol = symbols[index] as number;
    const frequency = frequencies[symbol] as number;
    let state = (index & 1) === 0 ? even : odd;
    if (state >= frequency << 19) {
      words[--at] = state & 0xffff;
      state >>>= 16;
    }
    const quotient = (state / frequency) | 0;
    state = (quotient << PRECISION_BITS) + (state - quotient * frequency) + (starts[symbol] as number);
    if ((index & 1) === 0) even = state;
    else odd = state;
  }
  writeState(even, sink);
  writeState(odd, sink);
  sink.reserve((words.length - at) * 2);
  const { bytes } = sink;
  let to = sink.length;
  for (; at < words.length; at++) {
    const word = words[at] as number;
    bytes[to++] = word & 0xff;
    bytes[to++] = word >> 8;
  }
  sink.length = to;
}

/** Fills `symbols`. @throws {KerfError} MESSAGE_MALFORMED. */
export function decodeRans(source: ByteSource, symbols: Uint8Array): void {
  const table = decodingTable(readFrequencies(source));
  let even = readState(source);
  let odd = readState(source);
  const { bytes } = source;
  let { at } = source;
  const pairs = symbols.length & ~1;
  for (let index = 0; index < pairs; index += 2) {
    const first = table[even & 4095] as number;
    const second = table[odd & 4095] as number;
    symbols[index] = first & 0xff;
    symbols[index + 1] = second & 0xff;
    even = ((first >>> 8) & 4095) * (even >>> PRECISION_BITS) + (first >>> 20);
    odd = ((second >>> 8) & 4095) * (odd >>> PRECISION_BITS) + (second >>> 20);
    // Beyond the end these read nothing, which counts as 0; the check below finds it.
    if (even < LEAST_STATE) {
      even = (even << 16) | (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      at += 2;
    }
    if (odd < LEAST_STATE) {
      odd = (odd << 16) | (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      at += 2;
    }
    if (at > bytes.length) throw damagedPayload('it ends early');
  }
  if (pairs < symbols.length) {
    const last = table[even & 4095] as number;
    symbols[pairs] = last & 0xff;
    even = ((last >>> 8) & 4095) * (even >>> PRECISION_BITS) + (last >>> 20);
    if (even < LEAST_STATE) {
      even = (even << 16) | (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      at += 2;
    }
  }
  if (at > bytes.length || even !== LEAST_STATE || odd !== LEAST_STATE)
    throw damagedPayload('a block does not end as it began');
  source.at = at;
}

function startsOf(frequencies: Uint16Array): Uint16Array {
  const starts = new Uint16Array(256);
  let start = 0;
  for (let symbol = 0; symbol < 256; symbol++) {
    starts[symbol] = start;
    start += frequencies[symbol] as number;
  }
  return starts;
}

/** For each of 4096 slots: the symbol, its frequency in bits 8 to 19, and the slot's place in it above. */
function decodingTable(frequencies: Uint16Array): Uint32Array {
  const table = new Uint32Array(PRECISION);
  let slot = 0;
  for (let symbol = 0; symbol < 256; symbol++) {
    const frequency = frequencies[symbol] as number;
    for (let place = 0; place < frequency; place++) table[slot++] = symbol | (frequency << 8) | (place << 20);
  }
  return table;
}

function writeState(state: number, sink: ByteSink): void {
  for (let byte = 0; byte < STATE_BYTES; byte++) sink.byte((state >>> (8 * byte)) & 0xff);
}

function readState(source: ByteSource): number {
  const [a = 0, b = 0, c = 0, d = 0] = source.take(STATE_BYTES);
  const state = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  if (state < LEAST_STATE || state >= 2 ** 31) throw damagedPayload('a coder state is out of range');
  return state;
}
