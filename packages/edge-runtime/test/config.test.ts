// Shapes of configuration files: what is right is read, what is wrong is named with its path and the nearest right word.
import { KerfError } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { kinds, list, maybe, needed, object, type Problem, type Shape, withDefault } from '../src/config/shape.ts';
import { choice, duration, flag, number, pattern, size, text } from '../src/config/values.ts';

const FILE = object({
  name: needed(text({ mostCharacters: 8 }), 'its name'),
  deadline: withDefault(duration({ leastMs: 1, mostMs: 3_600_000 }), 500, 'time of a frame'),
  room: maybe(size({ least: 1, most: 2e9 }), 'space'),
  on: withDefault(flag, true, 'whether'),
  parts: withDefault(
    list(
      kinds({ wheel: object({ spokes: needed(number({ least: 1, whole: true }), 'how many') }), axle: object({}) }),
      {
        most: 3,
      },
    ),
    [],
    'parts',
  ),
});

function problemsOf(shape: Shape<unknown>, value: unknown): readonly Problem[] {
  try {
    shape.read(value, '');
  } catch (error) {
    if (KerfError.is(error) && error.code === 'CONFIG_INVALID') return error.details['problems'] as Problem[];
    throw error;
  }
  return [];
}

const said = (shape: Shape<unknown>, value: unknown): string[] =>
  problemsOf(shape, value).map(({ path, message }) => `${path} ${message}`);

describe('a configuration', () => {
  it('is read with defaults, durations in ms and sizes in bytes', () => {
    expect(
      FILE.read({ name: 'a', room: '20 MB', parts: [{ kind: 'wheel', spokes: 3 }, { kind: 'axle' }] }, ''),
    ).toEqual({
      name: 'a',
      deadline: 500,
      room: 20e6,
      on: true,
      parts: [{ kind: 'wheel', spokes: 3 }, { kind: 'axle' }],
    });
    expect(FILE.read({ name: 'a', deadline: '1.5 s', room: '64MiB' }, '')).toMatchObject({
      deadline: 1500,
      room: 2 ** 26,
    });
  });

  it('names every unknown key with its path and the nearest right one', () => {
    expect(said(FILE, { name: 'a', deadlin: '1 s', parts: [{ kind: 'wheel', spoks: 2 }] })).toEqual([
      "deadlin is not a key; did you mean 'deadline'?",
      "parts[0].spoks is not a key; did you mean 'spokes'?",
      'parts[0].spokes is needed: how many',
    ]);
    expect(said(FILE, { name: 'a', parts: [{ kind: 'weel' }] })).toEqual([
      "parts[0].kind must be one of wheel, axle, is 'weel'; did you mean 'wheel'?",
    ]);
  });

  it.each([
    ['500', "must be a time with its unit, such as '500 ms', is '500'"],
    [500, "must be a time with its unit, such as '500 ms', is 500"],
    ['5 sec', "has the unit 'sec'; units are ms, s, min, h, d; did you mean 's'?"],
    ['5 msec', "has the unit 'msec'; units are ms, s, min, h, d; did you mean 'ms'?"],
    ['2 minutes', "has the unit 'minutes'; units are ms, s, min, h, d; did you mean 'min'?"],
    ['2 h', "must be from 1 ms to 1 h, is '2 h'"],
    ['-1 s', "must be a time with its unit, such as '500 ms', is '-1 s'"],
  ])('refuses the time %j', (deadline, message) => {
    expect(said(FILE, { name: 'a', deadline })).toEqual([`deadline ${message}`]);
  });

  it('hints at the right letters of a unit', () => {
    expect(said(FILE, { name: 'a', room: '20 mb' })).toEqual([
      "room has the unit 'mb'; units are B, KB, MB, GB, TB, KiB, MiB, GiB, TiB; did you mean 'MB'?",
    ]);
  });

  it('refuses wrong types, and does not trip over names that every object has', () => {
    expect(said(FILE, [])).toEqual([' must be a group of keys, is a list']);
    expect(said(FILE, { name: 7, on: 'yes', parts: {} })).toEqual([
      'name must be a text, is 7',
      "on must be true or false, is 'yes'",
      'parts must be a list, is a group of keys',
    ]);
    expect(said(FILE, { name: 'a', parts: [{ kind: 'constructor' }], toString: 1 })).toEqual([
      'toString is not a key; keys are name, deadline, room, on, parts',
      "parts[0].kind must be one of wheel, axle, is 'constructor'",
    ]);
    expect(said(pattern, '(')).toEqual([" must be a regular expression, is '('"]);
    expect(said(number({ least: 0, most: 1 }), Number.NaN)).toEqual([' must be a number from 0 to 1, is NaN']);
  });

  it('describes itself as JSON Schema', () => {
    expect(FILE.schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: { on: { type: 'boolean', description: 'whether' } },
    });
    expect(choice(['a', 'b']).schema).toEqual({ enum: ['a', 'b'] });
  });
});
