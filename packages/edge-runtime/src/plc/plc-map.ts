// What a PLC reads and writes, and where: the addresses of docs/sinks.md, counted from 0.
import type { Verdict } from '../station/result-record.ts';

/** Written by the PLC. */
export const COILS = ['trigger', 'ack', 'reset'] as const;
/** Discrete inputs: read by the PLC. */
export const INPUTS = [
  'ready',
  'busy',
  'done',
  'ok',
  'ng',
  'review',
  'fault',
  'noRead',
  'error',
  'provisional',
  'heartbeat',
] as const;

export type PlcInputs = Readonly<Record<(typeof INPUTS)[number], boolean>>;

/** Holding registers, written by the PLC: the part's id, two bytes of UTF-8 a register, the first in the high byte. */
export const PART_REGISTERS = 16;

/** Input registers, read by the PLC; pairs hold 32 bits, the high half first. */
export const REGISTERS = {
  mapVersion: 0,
  sequence: 1,
  verdict: 2,
  scoreThousandths: 3,
  totalMs: 4,
  heartbeat: 5,
  recordKey: 6,
  total: 8,
  passed: 10,
  reviewed: 12,
  rejected: 14,
  unread: 16,
  refusedTriggers: 18,
  lateResults: 20,
  partId: 32,
} as const;

export const REGISTER_COUNT = REGISTERS.partId + PART_REGISTERS;
export const MAP_VERSION = 1;

export const VERDICT_NUMBERS: Readonly<Record<Verdict, number>> = { PASS: 1, REVIEW: 2, NG: 3, NO_READ: 4, ERROR: 5 };

/** Cut off where a character would be torn. */
export function registersOfText(text: string): number[] {
  let bytes = new TextEncoder().encode(text);
  if (bytes.byteLength > PART_REGISTERS * 2) {
    let end = PART_REGISTERS * 2;
    while (((bytes[end] as number) & 0xc0) === 0x80) end--;
    bytes = bytes.slice(0, end);
  }
  return Array.from({ length: PART_REGISTERS }, (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0));
}

/** Up to the first zero byte. */
export function textOfRegisters(registers: readonly number[]): string {
  const bytes = registers.flatMap((value) => [value >>> 8, value & 255]);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(Uint8Array.from(end < 0 ? bytes : bytes.slice(0, end)));
}

/** 32 bits that name a record (FNV-1a of its key), so that a PLC can tell one that comes again. */
export function numberOfKey(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(key)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
