// A model of bytes whose numbers say which head and which tail made them.
import type { LoadedModel, SplitManifest, Tensor, TensorMap } from '@kerf/protocol';
import { SPLIT_FORMAT } from '@kerf/protocol';
import type { ProcessClock } from './process-clock.ts';

const spec = (name: string) => ({ name, dtype: 'uint8' as const, shape: ['n', 'k'] });
const row = (bytes: readonly number[]): Tensor => ({
  dtype: 'uint8',
  shape: [1, bytes.length],
  data: Uint8Array.from(bytes),
});

/** Puts its version before the bytes that it gets. */
export class StampModel implements LoadedModel {
  readonly inputs;
  readonly outputs;
  readonly #from: string;
  readonly #to: string;
  readonly #version: number;
  readonly #clock: ProcessClock;
  readonly #runMs: () => number;

  constructor(from: string, to: string, version: number, clock: ProcessClock, runMs: () => number) {
    this.inputs = [spec(from)];
    this.outputs = [spec(to)];
    this.#from = from;
    this.#to = to;
    this.#version = version;
    this.#clock = clock;
    this.#runMs = runMs;
  }

  async run(inputs: TensorMap): Promise<TensorMap> {
    await this.#clock.sleep(this.#runMs());
    const { data } = inputs.get(this.#from) as Tensor;
    return new Map([[this.#to, row([this.#version, ...data])]]);
  }

  async dispose(): Promise<void> {}
}

export function inputOf(bytes: readonly number[]): TensorMap {
  return new Map([['x', row(bytes)]]);
}

/** What is wrong with an answer; null where nothing is. */
export function judgeAnswer(outputs: TensorMap, input: readonly number[], headVersion: number): string | null {
  const y = outputs.get('y');
  if (y === undefined) return 'an answer lacks its output';
  const [tail, head, ...bytes] = y.data;
  if (tail !== head) return `head ${String(head)} was answered by tail ${String(tail)}`;
  if (head !== headVersion) return `head ${headVersion} ran and the answer says ${String(head)}`;
  if (bytes.join() !== input.join()) return `the frame ${input.join()} got the answer of ${bytes.join()}`;
  return null;
}

const part = { file: 'f.onnx', sha256: 'a'.repeat(64), bytes: 1, nodes: 1, externalData: null };

export function splitOf(pair: string): SplitManifest {
  return {
    format: SPLIT_FORMAT,
    source: { file: 'm.onnx', sha256: 'b'.repeat(64), bytes: 1 },
    cut: ['mid'],
    headInputs: ['x'],
    headOutputs: ['mid'],
    tailInputs: ['mid'],
    tailOutputs: ['y'],
    modelInputs: ['x'],
    modelOutputs: ['y'],
    tensors: ['x', 'mid', 'y'].map(spec),
    codec: { kind: 'raw' },
    head: part,
    tail: part,
    pair,
    createdBy: 'simulation',
  };
}
