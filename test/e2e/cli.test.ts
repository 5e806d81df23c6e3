// The command line as a new user meets it: help, the ten minutes of the README, and what it says when something is wrong.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeNpy } from '@kerf/cli';
import { buildModel } from '@kerf/onnx';
import { openModelFile, writeTensorFile } from '@kerf/onnx/node';
import { bytesOf, float32Tensor, type SplitManifest } from '@kerf/protocol';
import { pairHash } from '@kerf/splitter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REAL } from './support/models.ts';
import { expectRefusal, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';
import { openWorkshop, reference, type Workshop } from './support/workshop.ts';

const COMMANDS = ['cuts', 'split', 'verify', 'plan', 'chain', 'serve', 'run', 'token', 'demo'];

/** y = relu(x w) w with weights that are easy to find in a file; one name holds a comma and a colon. */
const ODD_NAME = 'a,b:0';
const WEIGHTS = Float32Array.of(1.25, -2.5, 3.75, 0.625);
const square = (name: string) => ({ name, dtype: 'float32' as const, shape: [2, 2] });
const oddModel = buildModel({
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w1'], outputs: [ODD_NAME] },
    { op: 'Relu', inputs: [ODD_NAME], outputs: ['left'] },
    { op: 'Neg', inputs: [ODD_NAME], outputs: ['right'] },
    { op: 'Add', inputs: ['left', 'right'], outputs: ['sum'] },
    { op: 'MatMul', inputs: ['sum', 'w2'], outputs: ['y'] },
  ],
  inputs: [square('x')],
  outputs: [square('y')],
  initializers: [
    { name: 'w1', tensor: float32Tensor([2, 2], Float32Array.of(1, 2, 3, 4)) },
    { name: 'w2', tensor: float32Tensor([2, 2], WEIGHTS) },
  ],
});

let shop: Workshop;
const kerf = (...args: string[]): Promise<Ran> => runKerf(args, { cwd: shop.folder });

beforeAll(async () => {
  shop = await openWorkshop();
  await writeFile(join(shop.folder, 'odd.onnx'), oddModel);
});
afterAll(() => shop?.remove());

describe('help and usage', () => {
  test('help lists the commands, and each has a page', async () => {
    const all = await kerf('help');
    expect(all).toMatchObject({ status: 0, stderr: '' });
    for (const name of COMMANDS) expect(all.stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    for (const args of [
      ['help', 'split'],
      ['split', '--help'],
    ]) {
      const page = await kerf(...args);
      expect(page).toMatchObject({ status: 0, stderr: '' });
      expect(page.stdout).toMatch(/^usage: kerf split MODEL --at/);
    }
    expect((await kerf('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('no command prints the help and exits 2', async () => {
    const { status, stdout } = await kerf();
    expect({ status, usage: stdout.includes('usage: kerf COMMAND') }).toEqual({ status: 2, usage: true });
  });

  test.each([
    ['an unknown command', ['cut']],
    ['a missing argument', ['cuts']],
    ['an unknown option', ['cuts', 'odd.onnx', '--fast']],
    ['an option without its value', ['split', 'odd.onnx', '--at']],
    ['a value that is no number', ['verify', 'odd.onnx', 'part', '--runs', 'many']],
    ['a value that is out of range', ['serve', '--models', '.', '--port', '70000']],
    ['split without --at', ['split', 'odd.onnx', '--out', 'part']],
    ['run without a frame', ['run', '--model', 'odd.onnx']],
    ['a --dim that is none', ['cuts', 'odd.onnx', '--dim', 'n']],
    ['a --dim that no input has', ['cuts', 'odd.onnx', '--dim', 'nobody=3']],
    ['an option given twice', ['plan', 'odd.onnx', '--uplink', '5mbit', '--uplink', '6mbit']],
    ['an empty value', ['run', '--model', 'part', '--ca', '']],
    ['a wrong value where it would not be needed', ['verify', 'odd.onnx', 'part', '--mean', 'grey']],
    ['an unknown action of token', ['token', 'make']],
  ])('%s exits 2 with one line', async (_, args) => {
    expectRefusal(await kerf(...args), 2, 'INVALID_ARGUMENT');
  });

  test('a failure exits 1 with one line', async () => {
    await writeFile(
      join(shop.folder, 'noise.onnx'),
      Uint8Array.from({ length: 999 }, (_, at) => (at * 89) % 256),
    );
    expectRefusal(await kerf('cuts', 'nowhere.onnx'), 1, 'FILE_NOT_FOUND');
    expectRefusal(await kerf('cuts', 'noise.onnx'), 1, 'MODEL_MALFORMED');
    expectRefusal(await kerf('verify', 'odd.onnx', 'nowhere'), 1, 'FILE_NOT_FOUND');
    expectRefusal(await kerf('serve', '--models', 'nowhere', '--port', '0'), 1, 'FILE_NOT_FOUND');
    // A file where a folder is to be made: nobody may write there, not even root.
    const place = join('noise.onnx', 'keys');
    expect(expectRefusal(await kerf('token', 'keys', '--out', place), 1, 'FILE_NOT_FOUND')).toMatch(
      /a part of its path is a file/,
    );
  });
});

interface Cuts {
  readonly model: { readonly nodes: number };
  readonly inputs: readonly { readonly bytes: number }[];
  readonly cuts: readonly {
    readonly tensors: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[];
    readonly inputs: readonly unknown[];
    readonly bytes: number;
    readonly headNodes: number;
    readonly tailNodes: number;
  }[];
}

describe('cuts', () => {
  test('finds the 59 single cuts of the classifier, with sizes', async () => {
    const { cuts, inputs } = jsonOf<Cuts>(await kerf('cuts', REAL.classifier, '--single', '--json'));
    expect(cuts).toHaveLength(59);
    for (const { tensors, bytes, headNodes, tailNodes } of cuts) {
      expect(tensors).toHaveLength(1);
      expect(bytes).toBe(4 * (tensors[0]?.shape ?? []).reduce((product, side) => product * side, 1));
      expect(headNodes + tailNodes).toBe(cuts[0]!.headNodes + cuts[0]!.tailNodes);
    }
    const smaller = jsonOf<Cuts>(await kerf('cuts', REAL.classifier, '--single', '--smaller', '--json')).cuts;
    expect(smaller.length).toBeGreaterThan(0);
    expect(smaller).toEqual(cuts.filter(({ bytes }) => bytes < (inputs[0]?.bytes ?? 0)));
    expectRefusal(await kerf('cuts', REAL.classifier, '--dim', 'nothing=1'), 2, 'INVALID_ARGUMENT');
  });

  test('prints a table that a person can read, odd names quoted as --at takes them', async () => {
    const { status, stdout } = await kerf('cuts', 'odd.onnx');
    expect(status).toBe(0);
    expect(stdout).toContain('odd.onnx');
    expect(stdout).toMatch(/^ +1 +4 +16 B +"a,b:0" float32\[2, 2\]$/m);
  });
});

describe('split', () => {
  const split = (at: readonly string[], out: string, ...more: string[]): Promise<Ran> =>
    kerf('split', 'odd.onnx', ...at.flatMap((text) => ['--at', text]), '--out', out, '--json', ...more);
  interface Made {
    readonly folder: string;
    readonly addedInputs: readonly string[];
    readonly split: SplitManifest;
  }

  test.each([
    ['a plain name', ['sum'], ['sum']],
    ['two names with a comma between', ['left,right'], ['left', 'right']],
    ['two names in two options', ['left', 'right'], ['left', 'right']],
    ['a JSON array of an odd name', [JSON.stringify([ODD_NAME])], [ODD_NAME]],
    ['an odd name as it stands', [ODD_NAME], [ODD_NAME]],
  ])('takes %s', async (title, at, cut) => {
    const folder = `splits/${title.replaceAll(' ', '-')}`;
    const made = jsonOf<Made>(await split(at, folder));
    expect(made).toMatchObject({ folder, addedInputs: [], split: { cut, headOutputs: cut, tailInputs: cut } });
    expect((await readdir(join(shop.folder, folder))).sort()).toEqual(['head.onnx', 'split.json', 'tail.onnx']);
    expect(JSON.parse(await readFile(join(shop.folder, folder, 'split.json'), 'utf8'))).toEqual(made.split);
    const report = jsonOf<{ verdict: string }>(await kerf('verify', 'odd.onnx', folder, '--json'));
    expect(report.verdict).toBe('bit-equal');
  });

  test.each([
    ['a set that does not separate names what leaks', ['left'], 'CUT_NOT_SEPARATING', /right|a,b:0/],
    ['a tensor that is not there', ['summ'], 'CUT_UNKNOWN_TENSOR', /sum/],
    ['a cut that leaves nothing to one side', ['x'], 'CUT_EMPTY_SIDE', /./],
  ])('refuses: %s', async (_, at, code, words) => {
    expect(expectRefusal(await split(at, 'refused/part'), 1, code)).toMatch(words);
    expect(existsSync(join(shop.folder, 'refused'))).toBe(false);
  });

  test('refuses JSON that is no array of names', async () => {
    expectRefusal(await split(['["sum"'], 'refused'), 2, 'INVALID_ARGUMENT');
    expectRefusal(await split(['[1]'], 'refused'), 2, 'INVALID_ARGUMENT');
    expect(existsSync(join(shop.folder, 'refused'))).toBe(false);
  });

  test('never writes over what is not a split, and replaces one', async () => {
    const notes = join(shop.folder, 'notes');
    await mkdir(notes);
    await writeFile(join(notes, 'todo.txt'), 'do not lose');
    expectRefusal(await split(['sum'], 'notes'), 1, 'FILE_EXISTS');
    expect(await readdir(notes)).toEqual(['todo.txt']);
    jsonOf(await split(['sum'], 'notes', '--force'));
    expect(await readFile(join(notes, 'todo.txt'), 'utf8')).toBe('do not lose');
    const again = jsonOf<Made>(await split(['left,right'], 'notes'));
    expect(again.split.cut).toEqual(['left', 'right']);
  });
});

describe('verify', () => {
  const tailOf = (folder: string): string => join(shop.folder, folder, 'tail.onnx');

  /** Changes one weight of the second product; the file stays a model. */
  async function tamper(folder: string): Promise<Uint8Array> {
    const bytes = await readFile(tailOf(folder));
    const at = bytes.indexOf(bytesOf(WEIGHTS));
    expect(at).toBeGreaterThan(0);
    bytes.set(bytesOf(Float32Array.of(1.5)), at);
    await writeFile(tailOf(folder), bytes);
    return bytes;
  }

  test('says equal for what is equal', async () => {
    await kerf('split', 'odd.onnx', '--at', 'sum', '--out', 'good');
    const { status, stdout } = await kerf('verify', 'odd.onnx', 'good', '--runs', '4', '--seed', '9');
    expect(status).toBe(0);
    expect(stdout).toMatch(/y +4 of 4 .* yes\n/);
    expect(stdout).toContain('equal: every output has the same bits');
  });

  test('finds a changed weight by its hash', async () => {
    await kerf('split', 'odd.onnx', '--at', 'sum', '--out', 'changed');
    await tamper('changed');
    expect(expectRefusal(await kerf('verify', 'odd.onnx', 'changed'), 1, 'PAIR_MISMATCH')).toContain('tail.onnx');
  });

  test('finds a changed weight by its numbers when every hash was made to fit', async () => {
    await kerf('split', 'odd.onnx', '--at', 'sum', '--out', 'forged');
    const bytes = await tamper('forged');
    const file = join(shop.folder, 'forged', 'split.json');
    const manifest = JSON.parse(await readFile(file, 'utf8')) as SplitManifest;
    const tail = { ...manifest.tail, sha256: createHash('sha256').update(bytes).digest('hex') };
    await writeFile(file, JSON.stringify({ ...manifest, tail }));
    expectRefusal(await kerf('verify', 'odd.onnx', 'forged'), 1, 'PAIR_MISMATCH');
    const pair = await pairHash(manifest.source.sha256, manifest.cut, manifest.head, tail);
    await writeFile(file, JSON.stringify({ ...manifest, tail, pair }));
    const { status, stdout, stderr } = await kerf('verify', 'odd.onnx', 'forged', '--json');
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    const report = JSON.parse(stdout) as { verdict: string; outputs: { maxAbsolute: number }[] };
    expect(report.verdict).toBe('differs');
    expect(report.outputs[0]?.maxAbsolute).toBeGreaterThan(0.01);
    expect((await kerf('verify', 'odd.onnx', 'forged')).stdout).toContain('DIFFERENT');
  });

  test('refuses the split of another model', async () => {
    await kerf('split', REAL.classifier, '--at', 'relu_1.tmp_0', '--out', 'foreign');
    expectRefusal(await kerf('verify', 'odd.onnx', 'foreign'), 1, 'PAIR_MISMATCH');
  });

  test('takes inputs from files', async () => {
    await kerf('split', 'odd.onnx', '--at', 'sum', '--out', 'good');
    const tensor = float32Tensor([2, 2], Float32Array.of(1, 0, 0, 1));
    await writeTensorFile(join(shop.folder, 'eye.pb'), { name: 'x', tensor });
    const report = jsonOf<{ bitEqualRuns: number }>(
      await kerf('verify', 'odd.onnx', 'good', '--input', 'eye.pb', '--runs', '1', '--json'),
    );
    expect(report.bitEqualRuns).toBe(1);
    expectRefusal(await kerf('verify', 'odd.onnx', 'good', '--input', 'nowhere.npy'), 1, 'FILE_NOT_FOUND');
  });
});

describe('an .onnx file run here', () => {
  test('gives what the runtime gives, as .npy', async () => {
    const tensor = float32Tensor([2, 2], Float32Array.of(0.5, -1, 2, 0.25));
    await writeTensorFile(join(shop.folder, 'x.pb'), { name: 'x', tensor });
    const ran = await kerf('run', '--model', 'odd.onnx', '--input', 'x.pb', '--out', 'local');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toMatch(/ 0 .* ms {2}edge {2}y float32\[2, 2\] {2}x\.pb\n1 frame, 0 failed/);
    const model = await openModelFile(join(shop.folder, 'odd.onnx'));
    const whole = await reference.load({ path: model.path });
    const expected = (await whole.run(new Map([['x', tensor]]))).get('y');
    const found = decodeNpy(await readFile(join(shop.folder, 'local/frame_0_output_0.npy')));
    expect({ ...found, data: [...found.data] }).toEqual({ ...expected, data: [...expected!.data] });
  });

  test.each([
    ['a frame of another shape', 'wrong.pb', 1, 'TENSOR_MISMATCH'],
    ['a picture for an input that is none', 'picture.png', 1, 'TENSOR_MISMATCH'],
    ['a file of an unknown kind', 'frame.txt', 2, 'INVALID_ARGUMENT'],
    ['a file that is not there', 'nowhere.npy', 1, 'FILE_NOT_FOUND'],
    ['an array that is none', 'noise.npy', 1, 'TENSOR_MISMATCH'],
  ] as const)('refuses %s', async (_, file, status, code) => {
    await writeTensorFile(join(shop.folder, 'wrong.pb'), {
      name: 'x',
      tensor: float32Tensor([3], new Float32Array(3)),
    });
    for (const name of ['picture.png', 'frame.txt', 'noise.npy']) await writeFile(join(shop.folder, name), 'none');
    expectRefusal(await kerf('run', '--model', 'odd.onnx', '--input', file), status, code);
  });
});
