// bzip2 bytes -> what they hold, a piece at a time: no more memory than one block takes, no more output than is asked for.
//
// The format has no specification of its own; this follows the description at https://en.wikipedia.org/wiki/Bzip2#File_format
import { damaged } from '../damaged.ts';

const BLOCK_MAGIC = 0x3141_5926_5359;
const END_MAGIC = 0x1772_4538_5090;
const BLOCK_UNIT = 100_000;
const GROUP_SYMBOLS = 50;
const MAX_TABLES = 6;
const MAX_CODE_BITS = 20;
const MAX_SELECTORS = 18_002;
const RUN_A = 0;
const RUN_B = 1;

/** Bits of a stream, the highest first. */
class BitSource {
  readonly #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bit(): number {
    if (this.#count === 0) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw damaged('a bzip2 stream ends early');
      this.#held = byte;
      this.#count = 8;
    }
    return (this.#held >> --this.#count) & 1;
  }

  bits(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left--) value = value * 2 + this.bit();
    return value;
  }
}

interface HuffmanTable {
  /** Largest code of each length, and what to take off a code to get its place among the symbols. */
  readonly limits: Int32Array;
  readonly offsets: Int32Array;
  readonly symbols: Uint16Array;
}

/** What a block holds of so many bytes at most: four equal ones are followed by how many more there are, which may be none. */
function packedBytes(bytes: number): number {
  return bytes + Math.floor(bytes / 4);
}

/** Reads one bzip2 stream from the front. */
export class Bzip2Reader {
  readonly #source: BitSource;
  /** Of the bytes that may come, what the blocks still to be read may hold. */
  #budget: number;
  /** The block that is read: links of the inverted transform in the high bits, bytes in the low eight. */
  readonly #links: Uint32Array;
  #left = 0;
  #next = 0;
  #ended = false;
  // Runs: four equal bytes are followed by how many more there are.
  #last = -1;
  #equal = 0;
  #repeats = 0;

  /**
   * @param most bytes that the stream holds at most: a few of its own bytes may stand for a block of 900,000, which is not unpacked
   * @throws {KerfError} DELTA_MALFORMED.
   */
  constructor(bytes: Uint8Array, most: number) {
    this.#source = new BitSource(bytes);
    if (this.#source.bits(24) !== 0x42_5a_68) throw damaged('a bzip2 stream does not begin as one');
    const level = this.#source.bits(8) - 0x30;
    if (level < 1 || level > 9) throw damaged('a bzip2 stream has an unknown block size');
    this.#budget = packedBytes(most);
    this.#links = new Uint32Array(Math.min(level * BLOCK_UNIT, this.#budget));
  }

  /** Fills `target` with the next bytes. @throws {KerfError} DELTA_MALFORMED when there are fewer. */
  read(target: Uint8Array): void {
    for (let at = 0; at < target.length; ) {
      if (this.#repeats > 0) {
        target[at++] = this.#last;
        this.#repeats--;
        continue;
      }
      if (this.#left === 0) {
        this.#readBlock();
        continue;
      }
      this.#next = this.#links[this.#next] as number;
      const byte = this.#next & 255;
      this.#next >>>= 8;
      this.#left--;
      if (this.#equal === 4) {
        this.#repeats = byte;
        this.#equal = 0;
        continue;
      }
      this.#equal = byte === this.#last ? this.#equal + 1 : 1;
      this.#last = byte;
      target[at++] = byte;
    }
  }

  #readBlock(): void {
    const magic = this.#ended ? 0 : this.#source.bits(48);
    if (magic === END_MAGIC) this.#ended = true;
    if (magic !== BLOCK_MAGIC) throw damaged('a bzip2 stream ends early');
    this.#source.bits(32);
    if (this.#source.bit() === 1) throw damaged('a bzip2 block is randomised, which no encoder of this century does');
    const origin = this.#source.bits(24);
    const length = this.#readSymbols(Math.min(this.#links.length, this.#budget));
    this.#budget -= length;
    if (origin >= length) throw damaged('a bzip2 block has no beginning');
    this.#invert(length);
    this.#next = (this.#links[origin] as number) >>> 8;
    this.#left = length;
    this.#equal = 0;
    this.#last = -1;
  }

  /** Huffman codes, then move to front, then runs of zeros. @returns bytes of the block, at most `most`. */
  #readSymbols(most: number): number {
    const alphabet = this.#readAlphabet();
    const symbols = alphabet.length + 2;
    const tableCount = this.#source.bits(3);
    if (tableCount < 2 || tableCount > MAX_TABLES) throw damaged('a bzip2 block has a wrong number of tables');
    const selectors = this.#readSelectors(tableCount);
    const tables = Array.from({ length: tableCount }, () => this.#readTable(symbols));
    const links = this.#links;
    let length = 0;
    let runLength = 0;
    let runUnit = 1;
    for (let group = 0; ; group++) {
      const table = tables[selectors[group] ?? MAX_TABLES];
      if (table === undefined) throw damaged('a bzip2 block has too few selectors');
      for (let index = 0; index < GROUP_SYMBOLS; index++) {
        const symbol = this.#readSymbol(table);
        if (symbol === RUN_A || symbol === RUN_B) {
          runLength += runUnit << symbol;
          runUnit *= 2;
          if (runLength > most) throw damaged('a bzip2 block is too long');
          continue;
        }
        const isEnd = symbol === symbols - 1;
        if (length + runLength + (isEnd ? 0 : 1) > most) throw damaged('a bzip2 block is too long');
        links.fill(alphabet[0] as number, length, length + runLength);
        length += runLength;
        runLength = 0;
        runUnit = 1;
        if (isEnd) return length;
        const byte = alphabet[symbol - 1] as number;
        alphabet.copyWithin(1, 0, symbol - 1);
        alphabet[0] = byte;
        links[length++] = byte;
      }
    }
  }

  #readAlphabet(): Uint8Array {
    const groups = this.#source.bits(16);
    const alphabet: number[] = [];
    for (let group = 0; group < 16; group++) {
      if (((groups >> (15 - group)) & 1) === 0) continue;
      const used = this.#source.bits(16);
      for (let byte = 0; byte < 16; byte++) if (((used >> (15 - byte)) & 1) === 1) alphabet.push(group * 16 + byte);
    }
    if (alphabet.length === 0) throw damaged('a bzip2 block uses no bytes');
    return Uint8Array.from(alphabet);
  }

  #readSelectors(tableCount: number): Uint8Array {
    const count = this.#source.bits(15);
    if (count === 0) throw damaged('a bzip2 block has no selectors');
    const order = [0, 1, 2, 3, 4, 5];
    const selectors = new Uint8Array(Math.min(count, MAX_SELECTORS));
    for (let at = 0; at < count; at++) {
      let place = 0;
      while (this.#source.bit() === 1) if (++place >= tableCount) throw damaged('a bzip2 selector is out of range');
      const table = order.splice(place, 1)[0] as number;
      order.unshift(table);
      if (at < selectors.length) selectors[at] = table;
    }
    return selectors;
  }

  #readTable(symbols: number): HuffmanTable {
    const lengths = new Uint8Array(symbols);
    let length = this.#source.bits(5);
    for (let symbol = 0; symbol < symbols; symbol++) {
      while (this.#source.bit() === 1) {
        length += this.#source.bit() === 0 ? 1 : -1;
        if (length < 1 || length > MAX_CODE_BITS) break;
      }
      if (length < 1 || length > MAX_CODE_BITS) throw damaged('a bzip2 code has a wrong length');
      lengths[symbol] = length;
    }
    return huffmanTable(lengths);
  }

  #readSymbol({ limits, offsets, symbols }: HuffmanTable): number {
    let code = 0;
    for (let length = 1; length <= MAX_CODE_BITS; length++) {
      code = code * 2 + this.#source.bit();
      if (code > (limits[length] as number)) continue;
      const symbol = symbols[code - (offsets[length] as number)];
      if (symbol === undefined) break;
      return symbol;
    }
    throw damaged('a bzip2 code has no symbol');
  }

  /** Turns the bytes of the block, in the low bits, into links to the byte that follows each. */
  #invert(length: number): void {
    const links = this.#links;
    const starts = new Uint32Array(257);
    for (let at = 0; at < length; at++) {
      const byte = (links[at] as number) & 255;
      starts[byte + 1] = (starts[byte + 1] as number) + 1;
    }
    for (let byte = 0; byte < 256; byte++) starts[byte + 1] = (starts[byte + 1] as number) + (starts[byte] as number);
    for (let at = 0; at < length; at++) {
      const byte = (links[at] as number) & 255;
      const place = starts[byte] as number;
      starts[byte] = place + 1;
      links[place] = (links[place] as number) | (at << 8);
    }
  }
}

function huffmanTable(lengths: Uint8Array): HuffmanTable {
  const counts = new Int32Array(MAX_CODE_BITS + 2);
  for (const length of lengths) counts[length] = (counts[length] as number) + 1;
  const limits = new Int32Array(MAX_CODE_BITS + 1).fill(-1);
  const offsets = new Int32Array(MAX_CODE_BITS + 1);
  const symbols = new Uint16Array(lengths.length);
  let code = 0;
  let place = 0;
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    offsets[length] = code - place;
    for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] === length) symbols[place++] = symbol;
    code += counts[length] as number;
    limits[length] = code - 1;
    code *= 2;
  }
  return { limits, offsets, symbols };
}
