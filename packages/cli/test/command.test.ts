import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { KerfError } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { type Command, parseCommandLine } from '../src/command.ts';
import { COMMAND_NAMES, findCommand, HELP, helpOf } from '../src/command-table.ts';
import { shellWord } from '../src/shell-word.ts';
import { bitsPerSecond, durationSeconds, formatBytes, milliseconds, table } from '../src/units.ts';

const sample: Command = {
  name: 'sample',
  usage: 'MODEL [OPTIONS]',
  summary: 'A command for the tests.',
  positionals: [1, 2],
  options: {
    runs: { type: 'string', value: 'N', help: 'how often' },
    level: { type: 'string', value: 'LEVEL', help: 'which' },
    json: { type: 'boolean', help: 'print JSON' },
    dim: { type: 'string', multiple: true, value: 'NAME=N', help: 'a dimension' },
  },
  run: async () => 0,
};

/** The message of the INVALID_ARGUMENT that `task` throws. */
function usageFault(task: () => unknown): string {
  try {
    task();
  } catch (error) {
    if (KerfError.is(error) && error.code === 'INVALID_ARGUMENT') return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a command line', () => {
  test('becomes typed values', () => {
    const line = parseCommandLine(sample, ['m.onnx', '--runs', '5', '--json', '--dim', 'a=1', '--dim', 'b=2']);
    expect(line.positional(0)).toBe('m.onnx');
    expect(line.number('runs', 1)).toBe(5);
    expect(line.flag('json')).toBe(true);
    expect(line.texts('dim')).toEqual(['a=1', 'b=2']);
    expect(line.choice('level', ['all', 'basic'], 'basic')).toBe('basic');
    expect(parseCommandLine(sample, ['m', '--runs=-5', '--dim', '-', '--json', '--json']).text('runs')).toBe('-5');
  });

  test.each([
    [[], /usage: kerf sample MODEL/],
    [['a', 'b', 'c'], /usage: kerf sample MODEL/],
    [['a', '--nope'], /--nope/],
    [['a', '--runs'], /^--runs needs a value;/],
    [['a', '--json=yes'], /json/],
    [['a', '--rums', '3'], /there is no option --rums; did you mean --runs\?/],
    [['a', '--zzzzzz'], /there is no option --zzzzzz; see/],
    [['a', '--level', '--json'], /--level needs a value; one that begins with - is written --level=--json/],
    [['a', '--runs', '1', '--runs=2'], /--runs was given twice/],
    [['a', '--level='], /--level needs a value, and got an empty one/],
    [['a', '--level', ''], /--level needs a value, and got an empty one/],
  ])('%j is wrong usage', (argv: string[], message: RegExp) => {
    expect(usageFault(() => parseCommandLine(sample, argv))).toMatch(message);
  });

  test('a file that is taken for options is named as what it is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kerf-dash-'));
    const before = process.cwd();
    try {
      process.chdir(folder);
      writeFileSync('-part.onnx', '');
      expect(usageFault(() => parseCommandLine(sample, ['-part.onnx']))).toMatch(/is written \.\/-part\.onnx/);
    } finally {
      process.chdir(before);
      rmSync(folder, { recursive: true });
    }
  });

  test.each([' ', 'x', '-1', '1.5', '1e99', 'Infinity', '0x'])('--runs %j is refused with its name', (value) => {
    const line = parseCommandLine(sample, ['m', `--runs=${value}`]);
    expect(usageFault(() => line.number('runs', 1, { least: 1, most: 100 }))).toMatch(/--runs must be/);
  });

  test('a choice names what is allowed', () => {
    const line = parseCommandLine(sample, ['m', '--level', 'most']);
    expect(usageFault(() => line.choice('level', ['all', 'basic'], 'all'))).toMatch(/one of all, basic, got 'most'/);
  });
});

test.each(['verify', 'run', 'golden', 'evaluate', 'plan'])(
  '%s refuses a wrong option of pictures without any picture',
  async (name) => {
    const command = await findCommand(name);
    const needed = command.positionals[0] === 0 ? [] : Array.from({ length: command.positionals[0] }, () => 'x');
    for (const wrong of ['--mean=a', '--std=0', '--channels=cmyk', '--size=3']) {
      expect(usageFault(() => parseCommandLine(command, [...needed, wrong]))).toContain(wrong.split('=')[0]);
    }
  },
);

test.each([
  ['models/part.onnx', 'models/part.onnx', 'models/part.onnx'],
  ['输出/模型.onnx', '输出/模型.onnx', '输出/模型.onnx'],
  ['my model.onnx', "'my model.onnx'", '"my model.onnx"'],
  ["it's.onnx", "'it'\\''s.onnx'", '"it\'s.onnx"'],
  ['-dash.onnx', './-dash.onnx', './-dash.onnx'],
  ['$HOME', "'$HOME'", '"$HOME"'],
])('%s can be pasted into a shell', (path, posix, windows) => {
  expect(shellWord(path, 'linux')).toBe(posix);
  expect(shellWord(path, 'win32')).toBe(windows);
});

describe('units', () => {
  test('times', () => {
    expect(durationSeconds('expires', '12h')).toBe(43_200);
    expect(durationSeconds('expires', '90s')).toBe(90);
    for (const wrong of ['', '12', 'h', '-1h', '1y', '1.0001s', '0s']) {
      expect(usageFault(() => durationSeconds('expires', wrong))).toMatch(/--expires/);
    }
    expect(milliseconds('rtt', '40ms')).toBe(40);
    expect(milliseconds('rtt', '1.5s')).toBe(1500);
    expect(milliseconds('rtt', '0')).toBe(0);
    expect(usageFault(() => milliseconds('rtt', '1h'))).toMatch(/--rtt/);
  });

  test('rates', () => {
    expect(bitsPerSecond('uplink', '20mbit')).toBe(20e6);
    expect(bitsPerSecond('uplink', '512 Kbit/s')).toBe(512e3);
    expect(bitsPerSecond('uplink', '1.5Gbps')).toBe(1.5e9);
    for (const wrong of ['', '20', '20mb', '0mbit', 'fast']) {
      expect(usageFault(() => bitsPerSecond('uplink', wrong))).toMatch(/--uplink/);
    }
  });

  test('bytes and tables for people', () => {
    expect([999, 1000, 34_560, 2_400_000, 3e9].map(formatBytes)).toEqual([
      '999 B',
      '1.0 KB',
      '35 KB',
      '2.4 MB',
      '3.00 GB',
    ]);
    expect(
      table(
        [
          ['a', '1'],
          ['bbb', '22'],
        ],
        [1],
      ),
    ).toEqual(['a     1', 'bbb  22']);
  });
});

describe('help', () => {
  test('lists every command, and each command explains its options', async () => {
    const names = [...HELP.matchAll(/^ {2}(\w+) {2}/gm)].map((match) => match[1]);
    expect(new Set(names)).toEqual(new Set(COMMAND_NAMES));
    expect(names).toHaveLength(COMMAND_NAMES.length);
    expect(HELP).not.toContain('others:');
    for (const line of HELP.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    for (const name of COMMAND_NAMES) expect((await findCommand(name)).name).toBe(name);
    const token = await findCommand('token');
    expect(helpOf(token)).toMatch(/usage: kerf token/);
    for (const name of Object.keys(token.options)) expect(helpOf(token)).toContain(`--${name}`);
  });

  test('an unknown command names those there are', async () => {
    await expect(findCommand('toString')).rejects.toThrow(/commands are cuts, split/);
    await expect(findCommand('spilt')).rejects.toThrow(/did you mean 'split'/);
  });
});
