// Small tensors, models that a test scripts, and sessions around them.
import { type LoadedModel, SPLIT_FORMAT, type SplitManifest, type Tensor, type TensorMap } from '@kerf/protocol';
import { EdgeSession, type EdgeSessionConfig } from '../../src/session/edge-session.ts';
import type { EdgeSessionOptions } from '../../src/session/options.ts';
import type { Outcome } from '../../src/session/outcome.ts';
import type { SessionStatus } from '../../src/session/status.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { ScriptedCloud } from './scripted-cloud.ts';

export const bytesTensor = (...values: number[]): Tensor => ({
  dtype: 'uint8',
  shape: [values.length],
  data: Uint8Array.from(values),
});

export const inputsOf = (...values: number[]): TensorMap => new Map([['x', bytesTensor(...values)]]);

export class ScriptedModel implements LoadedModel {
  readonly inputs;
  readonly outputs;
  readonly runs: TensorMap[] = [];
  running = 0;
  mostRunning = 0;
  failure: Error | null = null;
  private readonly input: string;
  private readonly output: string;
  private readonly add: number;
  private readonly clock: FakeClock;
  tookMs: number;

  /** Adds `add` to each byte of `input`, in `tookMs` of the clock. */
  constructor(input: string, output: string, add: number, clock: FakeClock, tookMs: number) {
    this.inputs = [{ name: input, dtype: 'uint8' as const, shape: ['n'] }];
    this.outputs = [{ name: output, dtype: 'uint8' as const, shape: ['n'] }];
    this.input = input;
    this.output = output;
    this.add = add;
    this.clock = clock;
    this.tookMs = tookMs;
  }

  async run(inputs: TensorMap): Promise<TensorMap> {
    this.runs.push(inputs);
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    await new Promise<void>((resolve) => void this.clock.after(this.tookMs, resolve));
    this.running--;
    if (this.failure) throw this.failure;
    const data = inputs.get(this.input)!.data.map((byte) => byte + this.add);
    return new Map([[this.output, bytesTensor(...data)]]);
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}

const part = { file: 'f.onnx', sha256: 'a'.repeat(64), bytes: 1, nodes: 1, externalData: null };

export const SPLIT: SplitManifest = {
  format: SPLIT_FORMAT,
  source: { file: 'm.onnx', sha256: 'b'.repeat(64), bytes: 1 },
  cut: ['mid'],
  headInputs: ['x'],
  headOutputs: ['mid'],
  tailInputs: ['mid'],
  tailOutputs: ['y'],
  modelInputs: ['x'],
  modelOutputs: ['y'],
  tensors: ['x', 'mid', 'y'].map((name) => ({ name, dtype: 'uint8' as const, shape: ['n'] })),
  codec: { kind: 'raw' },
  head: part,
  tail: part,
  pair: 'c'.repeat(64),
  createdBy: 'test',
};

export interface Stage {
  readonly clock: FakeClock;
  readonly cloud: ScriptedCloud;
  readonly session: EdgeSession;
  readonly statuses: SessionStatus[];
  /** Starts a frame and keeps its outcome. */
  readonly infer: (values: number[], options?: Parameters<EdgeSession['infer']>[1]) => Watched;
}

export class Watched {
  outcome: Outcome | null = null;
  constructor(promise: Promise<Outcome>) {
    void promise.then((outcome) => {
      if (this.outcome !== null) throw new Error('a frame was answered twice');
      this.outcome = outcome;
    });
  }

  get text(): string {
    const { outcome } = this;
    if (outcome === null) return 'pending';
    if (outcome.kind === 'failed') return outcome.code;
    const fallback = outcome.fallbackReason === null ? '' : ` (${outcome.fallbackReason})`;
    return `${outcome.placement}${fallback} ${[...outcome.outputs.get('y')!.data].join(',')}`;
  }
}

export async function stage(
  config: (clock: FakeClock) => Partial<EdgeSessionConfig> = () => ({}),
  options: Partial<EdgeSessionOptions> = {},
  cloud = new ScriptedCloud(),
): Promise<Stage> {
  const clock = new FakeClock();
  const session = await EdgeSession.open({
    split: null,
    head: null,
    local: null,
    cloud: { model: 'm', connect: cloud.connect, token: 't-1' },
    ...config(clock),
    options: { clock, random: () => 0.5, ...options },
  });
  const statuses: SessionStatus[] = [];
  session.onStatus((status) => statuses.push(status));
  await settle();
  return {
    clock,
    cloud,
    session,
    statuses,
    infer: (values, inferOptions) => new Watched(session.infer(inputsOf(...values), inferOptions)),
  };
}

/** Head adds 10, tail adds 1: what the scripted cloud does as well. */
export const splitConfig =
  ({ tail = false, whole = false, headMs = 10, tailMs = 20 } = {}) =>
  (clock: FakeClock): Partial<EdgeSessionConfig> => ({
    split: SPLIT,
    head: new ScriptedModel('x', 'mid', 10, clock, headMs),
    local: {
      ...(tail && { tail: new ScriptedModel('mid', 'y', 1, clock, tailMs) }),
      ...(whole && { whole: new ScriptedModel('x', 'y', 11, clock, headMs + tailMs) }),
    },
  });
