// What the log of changes says of a call's values.
import { CALLS, mayAct } from '@kerf/bridge';
import { expect, test } from 'vitest';
import { auditDetail } from '../src/renderer/health/audit-detail.ts';
import { en } from '../src/renderer/i18n/en.ts';
import { translator } from '../src/renderer/i18n/messages.tsx';

const said = (values: object, language: 'en' | 'zh') =>
  auditDetail(JSON.stringify(values), translator(language), language);

test('values have names, numbers and words of the language', () => {
  expect(said({ passBelow: 0.35, ngAbove: 0.99995, from: '9c41d2', note: 'the new lamp' }, 'en')).toEqual([
    ['PASS below', '0.350'],
    ['NG from', '0.99995'],
    ['from', '9c41d2'],
    ['why', 'the new lamp'],
  ]);
  expect(said({ rollout: 'r1', action: 'stop', reason: '' }, 'zh')).toEqual([
    ['发布', 'r1'],
    ['操作', translator('zh')('fleet.action.stop')],
  ]);
  expect(said({ automatic: false, pinned: null }, 'en')).toEqual([
    ['by itself', 'no'],
    ['held at', '–'],
  ]);
  expect(said({}, 'en')).toEqual([]);
});

test('what an older or a newer station wrote is shown as it is', () => {
  expect(said({ lamp: 'left', sizes: [1, 2] }, 'zh')).toEqual([
    ['lamp', 'left'],
    ['sizes', '[1,2]'],
  ]);
  expect(auditDetail('no JSON', translator('en'), 'en')).toEqual([['', 'no JSON']]);
});

test('every value of a call that is logged has a name', () => {
  const names = Object.values(CALLS)
    .filter(({ role }) => !mayAct('viewer', role))
    .flatMap(({ params }) => Object.keys(params.entries));
  expect(names).toContain('passBelow');
  const known = ['resultId', 'sample'];
  expect(names.filter((name) => !Object.hasOwn(en, `auditOf.${name}`) && !known.includes(name))).toEqual([]);
});
