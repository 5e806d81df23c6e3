// Tokens with a context each <-> two interleaved range asymmetric numeral systems (rANS), whose tables of frequencies are
// shared by the contexts that behave alike. Every symbol costs -log2(frequency / 4096) bits.
import { damaged } from '../damaged.ts';
import { type BitDecoder, type BitEncoder, BitOdds } from './bit-coder.ts';
import { ByteSink } from './byte-io.ts';
import { type Clusters, clusterContexts } from './cluster.ts';
import {
  FREQUENCY_ROLES,
  frequenciesOf,
  PRECISION,
  PRECISION_BITS,
  readFrequencies,
  SYMBOLS,
  writeFrequencies,
} from './frequencies.ts';
import { decodeNumber, encodeNumber, NumberOdds } from './number-coder.ts';
import { wordsOf } from './raw-bits.ts';

/** A state is kept from this up to 2^31, 16 bits going in or out at a time: everything fits JavaScript's int32. */
const LEAST_STATE = 1 << 15;
/** 64 tables take 1 MiB when they are spread out for decoding. */
export const MAX_TABLES = 64;

/** Numbers of the head of a stream, behind those of the frequencies. */
const ROLE = { tables: FREQUENCY_ROLES, map: FREQUENCY_ROLES + 1 } as const;
const ROLES = FREQUENCY_ROLES + 2;

/** Odds of the context map: is a context used, does it share the table of the one before. */
const MAP = { used: 0, sameTable: 2, count: 3 } as const;

/** Collects tokens; codes them when all are there. */
export class TokenWriter {
  readonly #contexts: number;
  #tokens = new Uint8Array(4096);
  #contextOf = new Uint16Array(4096);
  #length = 0;

  /** @param contexts how many there are; a token's context is below it */
  constructor(contexts: number) {
    this.#contexts = contexts;
  }

  put(context: number, token: number): void {
    if (this.#length === this.#tokens.length) this.#grow();
    this.#contextOf[this.#length] = context;
    this.#tokens[this.#length++] = token;
  }

  #grow(): void {
    const tokens = new Uint8Array(this.#length * 2);
    const contextOf = new Uint16Array(this.#length * 2);
    tokens.set(this.#tokens);
    contextOf.set(this.#contextOf);
    this.#tokens = tokens;
    this.#contextOf = contextOf;
  }

  get length(): number {
    return this.#length;
  }

  /** Writes tables with `coder`. @returns the words of the stream, and its size if frequencies were exact. */
  finish(coder: BitEncoder): { words: Uint8Array; entropyBits: number } {
    const clusters = clusterContexts(this.#contexts, this.#contextOf, this.#tokens, this.#length, MAX_TABLES);
    writeMap(coder, clusters);
    const odds = new NumberOdds(ROLES);
    const tables = clusters.counts.map(frequenciesOf);
    for (const frequencies of tables) writeFrequencies(coder, odds, 0, frequencies);
    return { words: this.#encode(clusters, tables), entropyBits: clusters.entropyBits };
  }

  #encode({ tableOf }: Clusters, tables: readonly Uint16Array[]): Uint8Array {
    const frequencies = new Uint16Array(tables.length * SYMBOLS);
    const starts = new Uint16Array(tables.length * SYMBOLS);
    for (const [table, values] of tables.entries()) {
      let start = 0;
      for (let symbol = 0; symbol < SYMBOLS; symbol++) {
        frequencies[table * SYMBOLS + symbol] = values[symbol] as number;
        starts[table * SYMBOLS + symbol] = start;
        start += values[symbol] as number;
      }
    }
    const words = new Uint16Array(this.#length + 4);
    let at = words.length;
    // Decoding takes from one state and the other in turn, so coding, which goes backwards, does too.
    let next = LEAST_STATE;
    let other = LEAST_STATE;
    for (let index = this.#length - 1; index >= 0; index--) {
      const symbol = (tableOf[this.#contextOf[index] as number] as number) * SYMBOLS + (this.#tokens[index] as number);
      const frequency = frequencies[symbol] as number;
      let state = other;
      if (state >= frequency * 2 ** 19) {
        words[--at] = state & 0xffff;
        state >>>= 16;
      }
      const quotient = Math.floor(state / frequency);
      other = next;
      next = quotient * PRECISION + (state - quotient * frequency) + (starts[symbol] as number);
    }
    for (const state of [other, next]) {
      words[--at] = state >>> 16;
      words[--at] = state & 0xffff;
    }
    const sink = new ByteSink((words.length - at) * 2);
    for (; at < words.length; at++) {
      sink.byte((words[at] as number) & 255);
      sink.byte((words[at] as number) >>> 8);
    }
    return sink.written();
  }
}

function writeMap(coder: BitEncoder, { tableOf, used, counts }: Clusters): void {
  const odds = new BitOdds(MAP.count);
  const numbers = new NumberOdds(ROLES);
  encodeNumber(coder, numbers, ROLE.tables, counts.length);
  let wasUsed = 0;
  let before = 0;
  for (let context = 0; context < tableOf.length; context++) {
    const isUsed = used[context] as number;
    coder.bit(odds, MAP.used + wasUsed, isUsed);
    wasUsed = isUsed;
    if (isUsed === 0) continue;
    const table = tableOf[context] as number;
    coder.bit(odds, MAP.sameTable, table === before ? 1 : 0);
    if (table !== before) encodeNumber(coder, numbers, ROLE.map, table);
    before = table;
  }
}

/** @returns the table of each context, and how many tables follow. @throws {KerfError} DELTA_MALFORMED. */
function readMap(coder: BitDecoder, contexts: number): { tableOf: Uint8Array; tables: number } {
  const odds = new BitOdds(MAP.count);
  const numbers = new NumberOdds(ROLES);
  const tables = decodeNumber(coder, numbers, ROLE.tables, MAX_TABLES);
  const tableOf = new Uint8Array(contexts);
  let wasUsed = 0;
  let before = 0;
  for (let context = 0; context < contexts; context++) {
    wasUsed = coder.bit(odds, MAP.used + wasUsed);
    if (wasUsed === 0) continue;
    if (coder.bit(odds, MAP.sameTable) === 0) before = decodeNumber(coder, numbers, ROLE.map, tables - 1);
    tableOf[context] = before;
  }
  return { tableOf, tables };
}

/** Gives tokens back in the order of writing. */
export class TokenReader {
  readonly #tableOf: Uint8Array;
  /** For each of 4096 slots of each table: the symbol, its frequency - 1 from bit 8, the slot's place in it from bit 20. */
  readonly #slots: Uint32Array;
  readonly #words: Uint16Array;
  readonly #states = new Int32Array(2);
  #at = 4;

  /** Reads tables with `coder`. @throws {KerfError} DELTA_MALFORMED. */
  constructor(coder: BitDecoder, contexts: number, words: Uint8Array) {
    const { tableOf, tables } = readMap(coder, contexts);
    this.#tableOf = tableOf;
    // A context that is not in the map reads the first table, so there is one.
    this.#slots = new Uint32Array(Math.max(1, tables) * PRECISION);
    const odds = new NumberOdds(ROLES);
    for (let table = 0; table < tables; table++) {
      spread(readFrequencies(coder, odds, 0), this.#slots.subarray(table * PRECISION, (table + 1) * PRECISION));
    }
    this.#words = wordsOf(words);
    if (this.#words.length < 4) throw damaged('a stream of tokens has no beginning');
    for (let state = 0; state < 2; state++) {
      const value = (this.#words[state * 2] as number) + (this.#words[state * 2 + 1] as number) * 65_536;
      if (value < LEAST_STATE || value >= 2 ** 31) throw damaged('a coder state is out of range');
      this.#states[state] = value;
    }
  }

  /** The next token. Beyond the end it is any token, which {@link finish} finds. */
  next(context: number): number {
    const states = this.#states;
    const state = states[0] as number;
    const slot = ((this.#tableOf[context] as number) << PRECISION_BITS) | (state & (PRECISION - 1));
    const entry = this.#slots[slot] as number;
    let after = (((entry >>> 8) & (PRECISION - 1)) + 1) * (state >>> PRECISION_BITS) + (entry >>> 20);
    if (after < LEAST_STATE) after = (after << 16) | (this.#words[this.#at++] as number);
    states[0] = states[1] as number;
    states[1] = after;
    return entry & 255;
  }

  /** @throws {KerfError} DELTA_MALFORMED when too much or too little was read. */
  finish(): void {
    const [first, second] = this.#states;
    if (this.#at !== this.#words.length || first !== LEAST_STATE || second !== LEAST_STATE) {
      throw damaged('a stream of tokens does not end as it should');
    }
  }
}

function spread(frequencies: Uint16Array, slots: Uint32Array): void {
  let slot = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const frequency = frequencies[symbol] as number;
    for (let place = 0; place < frequency; place++) slots[slot++] = symbol | ((frequency - 1) << 8) | (place << 20);
  }
}
