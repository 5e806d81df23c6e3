// `kerf cuts` and `kerf split` on models that invite a bad cut: what lies inside a fusion is said, what cannot cross is left out.
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { type BuildNode, buildModel } from '@kerf/onnx';
import { bytesOf, float32Tensor, makeTensor, type SplitManifest } from '@kerf/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectRefusal, jsonOf, type Ran, runKerf } from './support/run-kerf.ts';
import { openWorkshop, type Workshop } from './support/workshop.ts';

const image = (name: string) => ({ name, dtype: 'float32' as const, shape: [1, 2, 4, 4] });
const node = (op: string, inputs: string[], output: string): BuildNode => ({ op, inputs, outputs: [output] });
const filled = (name: string, ...shape: number[]) => {
  const count = shape.reduce((product, size) => product * size, 1);
  return {
    name,
    tensor: float32Tensor(
      shape,
      Float32Array.from({ length: count }, (_, at) => 0.1 + (at % 5) / 7),
    ),
  };
};
const one = { name: 'one', tensor: makeTensor('int64', [], bytesOf(BigInt64Array.of(1n))) };

const MODELS: Readonly<Record<string, Uint8Array>> = {
  'fused.onnx': buildModel({
    nodes: [
      node('Tanh', ['x'], 't'),
      node('Conv', ['t', 'k'], 'c'),
      node('BatchNormalization', ['c', 's', 'b', 'm', 'v'], 'n'),
      node('Relu', ['n'], 'r'),
      node('Sigmoid', ['r'], 'y'),
    ],
    inputs: [image('x')],
    outputs: [image('y')],
    initializers: [filled('k', 2, 2, 1, 1), filled('s', 2), filled('b', 2), filled('m', 2), filled('v', 2)],
  }),
  'sequence.onnx': buildModel({
    nodes: [
      node('Relu', ['x'], 'a'),
      node('SequenceConstruct', ['a', 'a'], 's'),
      node('SequenceAt', ['s', 'one'], 'i'),
      node('Sigmoid', ['i'], 'y'),
    ],
    inputs: [image('x')],
    outputs: [image('y')],
    initializers: [one],
  }),
  'only-sequence.onnx': buildModel({
    nodes: [node('SequenceConstruct', ['x', 'x'], 's'), node('SequenceAt', ['s', 'one'], 'y')],
    inputs: [image('x')],
    outputs: [image('y')],
    initializers: [one],
  }),
  'no-inputs.onnx': buildModel({
    nodes: [node('Abs', ['one'], 'y')],
    inputs: [],
    outputs: [{ name: 'y', dtype: 'int64', shape: [] }],
    initializers: [one],
  }),
  'one-node.onnx': buildModel({ nodes: [node('Relu', ['x'], 'y')], inputs: [image('x')], outputs: [image('y')] }),
  'proto.onnx': buildModel({
    nodes: [node('Relu', ['x'], 'a'), node('Relu', ['a'], '__proto__')],
    inputs: [image('x')],
    outputs: [image('__proto__')],
  }),
};

let shop: Workshop;
const kerf = (...args: string[]): Promise<Ran> => runKerf(args, { cwd: shop.folder });
interface Cuts {
  readonly note: string | null;
  readonly cuts: readonly {
    readonly tensors: readonly { readonly name: string }[];
    readonly insideFusion: string | null;
  }[];
}
interface Made {
  readonly insideFusion: string | null;
  readonly split: SplitManifest;
}

beforeAll(async () => {
  shop = await openWorkshop();
  for (const [name, bytes] of Object.entries(MODELS)) await writeFile(join(shop.folder, name), bytes);
});
afterAll(() => shop?.remove());

describe('a cut inside a fusion', () => {
  test('is listed with the operators that it parts, in JSON and in the table', async () => {
    const { cuts } = jsonOf<Cuts>(await kerf('cuts', 'fused.onnx', '--json'));
    expect(cuts.map(({ tensors, insideFusion }) => [tensors.map(({ name }) => name).join(), insideFusion])).toEqual([
      ['t', null],
      ['c', 'Conv and BatchNormalization'],
      ['n', 'BatchNormalization and Relu'],
      ['r', null],
    ]);
    const { stdout } = await kerf('cuts', 'fused.onnx');
    expect(stdout).toMatch(/^ +2 +3 .* c float32\[1, 2, 4, 4\] {2}\(inside Conv and BatchNormalization\)$/m);
    expect(stdout).toMatch(/^ +1 +4 .* t float32\[1, 2, 4, 4\]$/m);
    expect(stdout).toContain('(inside ...): the runtime runs these operators as one');
  });

  test('is made on request, said to cost the fusion, and equals the whole', async () => {
    const made = jsonOf<Made>(await kerf('split', 'fused.onnx', '--at', 'c', '--out', 'inside', '--json'));
    expect(made).toMatchObject({ insideFusion: 'Conv and BatchNormalization', split: { cut: ['c'] } });
    const { stdout } = await kerf('split', 'fused.onnx', '--at', 'c', '--out', 'inside');
    expect(stdout).toMatch(/^ +it lies inside Conv and BatchNormalization, .*: the cut costs that fusion$/m);
    expect(jsonOf<{ verdict: string }>(await kerf('verify', 'fused.onnx', 'inside', '--json')).verdict).toBe(
      'bit-equal',
    );
  });

  test('elsewhere nothing is said', async () => {
    const made = jsonOf<Made>(await kerf('split', 'fused.onnx', '--at', 'r', '--out', 'outside', '--json'));
    expect(made.insideFusion).toBeNull();
    expect((await kerf('split', 'fused.onnx', '--at', 'r', '--out', 'outside')).stdout).not.toContain('inside');
  });
});

describe('values that cannot cross', () => {
  test('a sequence is not listed, and refused when asked for, with nothing written', async () => {
    const { cuts } = jsonOf<Cuts>(await kerf('cuts', 'sequence.onnx', '--json'));
    expect(cuts.map(({ tensors }) => tensors.map(({ name }) => name).join())).toEqual(['a', 'i']);
    expect((await kerf('cuts', 'sequence.onnx')).stdout).not.toMatch(/ s \?/);
    const ran = await kerf('split', 'sequence.onnx', '--at', 's', '--out', 'refused');
    expect(expectRefusal(ran, 1, 'CUT_TYPE_UNSUPPORTED')).toContain("'s' is not a dense tensor");
    expect(existsSync(join(shop.folder, 'refused'))).toBe(false);
  });

  test('where nothing else is there, the list is empty and says why', async () => {
    const { cuts, note } = jsonOf<Cuts>(await kerf('cuts', 'only-sequence.onnx', '--json'));
    expect(cuts).toEqual([]);
    expect(note).toMatch(/at every position a sequence/);
  });

  test('a model without inputs, and one of a single node, say why there is nothing to cut', async () => {
    for (const [file, why] of [
      ['no-inputs.onnx', 'the model has no inputs'],
      ['one-node.onnx', 'there is nothing to cut'],
    ] as const) {
      expect((await kerf('cuts', file)).stdout).toContain(why);
      expect(jsonOf<Cuts>(await kerf('cuts', file, '--json'))).toMatchObject({
        cuts: [],
        note: expect.stringContaining(why),
      });
    }
  });

  test('a model output named __proto__ must be renamed: one line and a code, from list and split', async () => {
    for (const args of [
      ['cuts', 'proto.onnx'],
      ['split', 'proto.onnx', '--at', 'a', '--out', 'refused'],
    ]) {
      expect(expectRefusal(await kerf(...args), 1, 'MODEL_UNSUPPORTED')).toMatch(/'__proto__'.*rename it/);
    }
    expect(existsSync(join(shop.folder, 'refused'))).toBe(false);
  });
});

describe('Ctrl-C in the middle of writing', () => {
  // The signal comes when the hidden folder has just been made.
  const INTERRUPTED = `
    const promises = require('node:fs/promises');
    const { mkdtemp } = promises;
    promises.mkdtemp = async (...args) => {
      const made = await mkdtemp(...args);
      if (/\\.kerf-(split|chain|golden)-/.test(made)) process.kill(process.pid, 'SIGINT');
      return made;
    };
    require('node:module').syncBuiltinESMExports();
  `;

  test.each([
    ['split', ['fused.onnx', '--at', 'r', '--out', 'broken'], 'the split was interrupted; nothing was written'],
    ['chain', ['fused.onnx', '--at', 'r', '--out', 'broken'], 'the chain was interrupted; nothing was written'],
    ['golden', ['whole'], 'the run of golden samples was interrupted; nothing was written'],
  ])('leaves nothing of a %s', async (command, args, message) => {
    await writeFile(join(shop.folder, 'interrupted.cjs'), INTERRUPTED);
    expect((await kerf('split', 'fused.onnx', '--at', 'r', '--out', 'whole')).status).toBe(0);
    const ran = await runKerf([command, ...args], {
      cwd: shop.folder,
      env: { ...process.env, NODE_OPTIONS: '--require ./interrupted.cjs' },
    });
    expect(ran.stderr).toBe(`kerf: CANCELLED: ${message}\n`);
    expect(ran.status).toBe(130);
    expect(existsSync(join(shop.folder, 'broken'))).toBe(false);
    expect((await readdir(join(shop.folder, 'whole'))).sort()).toEqual(['head.onnx', 'split.json', 'tail.onnx']);
  });
});
