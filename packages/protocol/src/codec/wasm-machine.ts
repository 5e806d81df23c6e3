// What one tensor needs -> a machine over the memory of an instance of the WebAssembly coder (wasm/level-coder.ts).
import type { LevelMachine, MachineNeeds } from './level-machine.ts';
import { GROUP_BITS, GROUP_FIRST, GROUP_OF } from './level-magnitudes.ts';
import {
  AROUND_CLASS,
  GROUP_CLASS,
  HERE_CLASS,
  MAGNITUDE_CLASS,
  NEAR_CLASS,
  PATTERN,
  RATES,
  SECOND_CLASS,
  SURE_CLASS,
} from './level-models.ts';
import type { PlanePlace } from './level-plane.ts';
import { type CoderMemory, RangeCoder } from './range-coder.ts';
import { giveBack, type Kernel, takeKernel } from './wasm-kernel.ts';

/** In the order that `useTables` of the WebAssembly coder reads their addresses. */
const TABLES = [
  RATES,
  NEAR_CLASS,
  HERE_CLASS,
  AROUND_CLASS,
  SECOND_CLASS,
  PATTERN,
  MAGNITUDE_CLASS,
  SURE_CLASS,
  GROUP_FIRST,
  GROUP_BITS,
  GROUP_OF,
  GROUP_CLASS,
];

// Addresses: the coder's registers, the place of a plane, the addresses of the tables, the tables.
const REGISTERS = 0;
const PLACE = 16;
const TABLE_ADDRESSES = 64;
const FIRST_TABLE = TABLE_ADDRESSES + 4 * TABLES.length;

const aligned = (bytes: number): number => (bytes + 7) & ~7;

/** Where memory is free for what a use needs. */
export const STORE_AT = TABLES.reduce((at, { byteLength }) => aligned(at + byteLength), FIRST_TABLE);

/** Null where WebAssembly is not to be had, or not so much memory: the reference codes then. */
export function wasmMachine(needs: MachineNeeds): LevelMachine | null {
  const { levels, padded, golden, states, learns, limit, edges } = needs;
  if (learns) return null;
  const sizes = [states.byteLength, levels, padded, padded, padded, golden?.byteLength ?? 0, edges?.byteLength ?? 0];
  const places = [STORE_AT];
  for (const size of sizes) places.push(aligned((places.at(-1) as number) + size));
  const [statesAt = 0, levelsAt = 0, nearAt = 0, farAt = 0, summariesAt = 0, goldenAt = 0, edgesAt = 0, bytesAt = 0] =
    places;
  const kernel = takeKernel(bytesAt);
  if (kernel === null) return null;
  const { memory, code } = kernel;
  if (!kernel.hasTables) writeTables(kernel);
  new Int32Array(memory.buffer, statesAt, states.length).set(states);
  new Uint8Array(memory.buffer, levelsAt, edgesAt - levelsAt).fill(0);
  if (golden !== null) new Uint8Array(memory.buffer, goldenAt, golden.length).set(golden);
  if (edges !== null) new Int16Array(memory.buffer, edgesAt, edges.length).set(edges);
  code.useStore(
    levelsAt,
    nearAt,
    farAt,
    summariesAt,
    golden === null ? nearAt : goldenAt,
    statesAt,
    limit,
    edges === null ? 0 : edgesAt,
  );
  const coderMemory = memoryBehind(kernel, bytesAt);
  return {
    get levels() {
      return new Uint8Array(memory.buffer, levelsAt, levels);
    },
    encoder: (expectedBytes) => RangeCoder.encoder(expectedBytes, coderMemory),
    decoder: () => RangeCoder.decoder(coderMemory),
    codePlane: (coder, place) => codePlane(kernel, coder, bytesAt, place),
    summarise: (from, rows, columns) => code.summarise(from, rows, columns),
    release: () => giveBack(kernel),
  };
}

function writeTables(kernel: Kernel): void {
  const { buffer } = kernel.memory;
  const addresses = new Uint32Array(buffer, TABLE_ADDRESSES, TABLES.length);
  let at = FIRST_TABLE;
  for (const [index, table] of TABLES.entries()) {
    addresses[index] = at;
    new Uint8Array(buffer, at, table.byteLength).set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength));
    at = aligned(at + table.byteLength);
  }
  kernel.code.useTables(TABLE_ADDRESSES);
  kernel.hasTables = true;
}

/** The coder's bytes lie behind everything else, so that they can grow where they are. */
function memoryBehind(kernel: Kernel, from: number): CoderMemory {
  const room = (bytes: number): Uint8Array => {
    kernel.reserve(from + bytes);
    return new Uint8Array(kernel.memory.buffer, from);
  };
  return {
    grow: (_bytes, _used, needed) => room(needed),
    hold(bytes) {
      const held = room(bytes.length).subarray(0, bytes.length);
      held.set(bytes);
      return held;
    },
  };
}

function codePlane({ code, words }: Kernel, coder: RangeCoder, bytesAt: number, place: PlanePlace): boolean {
  const { rows, columns, levels, near, first, second, golden, usual, most, models, magnitudes } = place;
  const registers = words();
  registers[REGISTERS] = coder.low;
  registers[REGISTERS + 1] = coder.range;
  registers[REGISTERS + 2] = bytesAt + coder.at;
  registers[REGISTERS + 3] = bytesAt + coder.bytes.length;
  registers.set([rows, columns, levels, near, first, second, golden, usual, most, models, magnitudes], PLACE / 4);
  const isUnusual = coder.isDecoder ? code.decodePlane(PLACE) : code.encodePlane(PLACE);
  coder.low = registers[REGISTERS] as number;
  coder.range = registers[REGISTERS + 1] as number;
  coder.at = (registers[REGISTERS + 2] as number) - bytesAt;
  return isUnusual !== 0;
}
