// What `kerf show --against` says of two releases.
import type { ReleaseFile } from '@kerf/delta-sync';
import { expect, test } from 'vitest';
import { changedGroups } from '../src/publish/changed-groups.ts';

function model(name: string, groups: Record<string, string>): ReleaseFile {
  const named = Object.entries(groups).map(([group, sha256]) => ({ name: group, tensors: 1, bytes: 4, sha256 }));
  return { name, role: 'model', sides: ['edge'], bytes: 4, sha256: '', groups: named, deltas: [] };
}

test('groups of a model that has another name now are compared with its own, not with nothing', () => {
  const before = { files: [model('line-v1.onnx', { stem: 'a', head: 'b', old: 'c' })] };
  const after = { files: [model('line-v2.onnx', { stem: 'a', head: 'x', fresh: 'd' })] };
  expect(changedGroups(before, after).map(({ file, group, change }) => `${file} ${group} ${change}`)).toEqual([
    'line-v2.onnx head changed',
    'line-v2.onnx fresh new',
    'line-v2.onnx old gone',
  ]);
});

test('a file that nothing came of, and one that came of nothing', () => {
  const before = { files: [model('a.onnx', { w: '1' }), model('b.onnx', { w: '2' })] };
  const after = { files: [model('a.onnx', { w: '1' }), model('c.onnx', { w: '2' }), model('d.onnx', { w: '3' })] };
  expect(changedGroups(before, after).map(({ file, group, change }) => `${file} ${group} ${change}`)).toEqual([
    'c.onnx w new',
    'd.onnx w new',
    'b.onnx w gone',
  ]);
});
