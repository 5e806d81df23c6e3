// Characters as a scanner sends them -> whole codes. A scanner is a keyboard that types fast, or a serial line.
import type { Clock } from '@kerf/protocol';
import { checkedPartId, MAX_PART_ID } from './part-id.ts';

/** Longer lines are no codes: a wrong speed of the line, or another device. */
const MAX_LINE = MAX_PART_ID * 2;

/** Lines of a serial scanner: codes end with a carriage return, a line feed or both. */
export class CodeLines {
  private readonly onCode: (code: string) => void;
  private line = '';
  private isTooLong = false;

  constructor(onCode: (code: string) => void) {
    this.onCode = onCode;
  }

  take(text: string): void {
    for (const character of text) {
      if (character === '\r' || character === '\n') this.end();
      else if (this.line.length >= MAX_LINE) this.isTooLong = true;
      else this.line += character;
    }
  }

  private end(): void {
    const code = this.isTooLong ? null : checkedPartId(this.line);
    this.line = '';
    this.isTooLong = false;
    if (code !== null) this.onCode(code);
  }
}

export interface KeyCodesOptions {
  readonly clock: Clock;
  /** People type slower than this; a longer pause begins a new code. */
  readonly maxPauseMs: number;
  /** Shorter ones are somebody's typing. */
  readonly minLength: number;
}

/** Keys of a scanner that acts as a keyboard: fast, and ended by Enter or Tab. */
export class KeyCodes {
  private readonly options: KeyCodesOptions;
  private readonly onCode: (code: string) => void;
  private code = '';
  private lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: KeyCodesOptions, onCode: (code: string) => void) {
    this.options = options;
    this.onCode = onCode;
  }

  /** @param key as `KeyboardEvent.key` names it. True when it ended a code. */
  press(key: string): boolean {
    const nowMs = this.options.clock.nowMs();
    if (nowMs - this.lastMs > this.options.maxPauseMs) this.code = '';
    this.lastMs = nowMs;
    if (key === 'Enter' || key === 'Tab') {
      const code = this.code.length >= this.options.minLength ? checkedPartId(this.code) : null;
      this.code = '';
      if (code !== null) this.onCode(code);
      return code !== null;
    }
    // Shift and the like have names of several characters.
    if (Array.from(key).length === 1 && this.code.length < MAX_LINE) this.code += key;
    return false;
  }
}
