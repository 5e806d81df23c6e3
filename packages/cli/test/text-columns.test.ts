// Columns of a terminal below each other, whatever script the cells are in.
import { describe, expect, test } from 'vitest';
import { tableLines } from '../src/registry/table.ts';
import { columnsOf } from '../src/text-columns.ts';
import { table } from '../src/units.ts';

describe('columns of a text', () => {
  test.each([
    ['line-3', 6],
    ['一号线', 6],
    ['𠀀', 2],
    ['ก่อน', 3],
    ['한국', 4],
    ['é', 1],
  ])('%s', (text, columns) => expect(columnsOf(text)).toBe(columns));

  test('tables are aligned by them', () => {
    const rows = [
      ['一号线', '7'],
      ['line', '12'],
    ];
    expect(table(rows, [1])).toEqual(['一号线   7', 'line    12']);
    expect(tableLines(['group', 'x'], [['一车间', '1']])).toEqual(['group   x', '一车间  1']);
  });
});
