// What scanners send, in any pieces; and what people type, which is no code.
import { describe, expect, test } from 'vitest';
import { CodeLines, KeyCodes } from '../../src/capture/scanned-codes.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('scanned codes', () => {
  test('lines, with any ends, cut anywhere', () => {
    const text = 'A-1\rB-2\nC-3\r\n\r\n  D-4 \r';
    for (let size = 1; size <= text.length; size++) {
      const codes: string[] = [];
      const lines = new CodeLines((code) => codes.push(code));
      for (let at = 0; at < text.length; at += size) lines.take(text.slice(at, at + size));
      expect(codes).toEqual(['A-1', 'B-2', 'C-3', 'D-4']);
    }
  });

  test('noise without an end does not grow, and the next code is whole', () => {
    const codes: string[] = [];
    const lines = new CodeLines((code) => codes.push(code));
    for (let turn = 0; turn < 1000; turn++) lines.take('x'.repeat(1000));
    lines.take('\rA-1\r\u0001bad\r');
    expect(codes).toEqual(['A-1']);
  });

  const keys = (): {
    clock: FakeClock;
    codes: string[];
    press: (text: string, everyMs: number) => Promise<boolean[]>;
  } => {
    const clock = new FakeClock();
    const codes: string[] = [];
    const reader = new KeyCodes({ clock, maxPauseMs: 50, minLength: 3 }, (code) => codes.push(code));
    const press = async (text: string, everyMs: number): Promise<boolean[]> => {
      const ended = [];
      for (const key of [...Array.from(text), 'Enter']) {
        await clock.advance(everyMs);
        ended.push(reader.press(key));
      }
      return ended;
    };
    return { clock, codes, press };
  };

  test('a scanner that acts as a keyboard', async () => {
    const { codes, press } = keys();
    expect(await press('P-17', 5)).toEqual([false, false, false, false, true]);
    await press('Q-18', 20);
    expect(codes).toEqual(['P-17', 'Q-18']);
  });

  test('what people type is no code, also right before a scan', async () => {
    const { clock, codes, press } = keys();
    await press('hello', 120);
    await press('ab', 5);
    expect(codes).toEqual([]);
    await press('x', 5);
    await clock.advance(200);
    await press('P-17', 5);
    expect(codes).toEqual(['P-17']);
  });
});
