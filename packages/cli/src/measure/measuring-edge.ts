// Placements -> sessions on this device, and the sessions' frames -> rows.
import type { EdgeSession, FrameInputs } from '@kerf/edge-runtime';
import { nodeBackend, type OpenedSplit, openSplitFolder } from '@kerf/edge-runtime/node';
import { type Backend, KerfError, type LoadedModel, type LoadOptions, messageOf, type TensorMap } from '@kerf/protocol';
import type { EdgeContender, EdgePlacement, ToEdge } from './edge-messages.ts';
import {
  type CloudAccess,
  medianOf,
  type OnDevice,
  openSession,
  partsOf,
  quantile,
  type TimedFrame,
  timeFrame,
} from './frames.ts';
import { encodeInput } from './picture-coding.ts';
import type { FrameSource, MeasuredRow, MeasureLimits } from './placements.ts';
import { type Entrant, measureRounds, type RoundFrames } from './rounds.ts';

type Setup = Extract<ToEdge, { kind: 'setup' }>;

/** Longer than anyone would wait at a line. */
const FRAME_DEADLINE_MS = 60_000;
/** Heads that stay loaded from one measurement to the next. */
const MAX_HEADS = 24;
/** A runtime's first runs compile and allocate. */
const WARM_RUNS = 2;
/** For outputs that are to be kept and that no round had time for. */
const COMPLETE_MS = 10_000;

export class MeasuringEdge {
  readonly #setup: Setup;
  readonly #backend: Backend;
  /** Null where the device cannot run the whole model. */
  readonly #whole: LoadedModel | null;
  /** Of each source; empty where the whole model does not run. */
  readonly #references: readonly TensorMap[];
  readonly #heads = new Map<string, OpenedSplit>();
  readonly #tell: (text: string) => void;

  private constructor(
    setup: Setup,
    backend: Backend,
    whole: { readonly model: LoadedModel; readonly outputs: readonly TensorMap[] } | null,
    tell: (text: string) => void,
  ) {
    this.#setup = setup;
    this.#backend = backend;
    this.#whole = whole?.model ?? null;
    this.#references = whole?.outputs ?? [];
    this.#tell = tell;
  }

  /** @throws {KerfError} BACKEND_UNAVAILABLE. */
  static async open(setup: Setup, tell: (text: string) => void): Promise<MeasuringEdge> {
    const backend = await nodeBackend(setup.runtime);
    const whole = await runWhole(backend, setup).catch((error: unknown) => {
      tell(`the whole model does not run on this edge: ${messageOf(error)}`);
      return null;
    });
    return new MeasuringEdge(setup, backend, whole, tell);
  }

  /** A placement that cannot be measured gets a row that says why. */
  async measure({ contenders, cloud, limits }: Extract<ToEdge, { kind: 'measure' }>): Promise<MeasuredRow[]> {
    await this.#makeRoom(contenders);
    this.#tell(`opening ${contenders.length} sessions`);
    const placed = await Promise.all(
      contenders.map(({ placement }) => this.#place(placement, cloud).catch((failure: unknown) => ({ failure }))),
    );
    try {
      return await this.#measurePlaced(contenders, placed, limits);
    } finally {
      for (const one of placed) if ('session' in one) one.session.close();
    }
  }

  async #measurePlaced(
    contenders: readonly EdgeContender[],
    placed: readonly (Placed | Failed)[],
    limits: MeasureLimits,
  ): Promise<MeasuredRow[]> {
    const { sources, keepOutputs } = this.#setup;
    const outputs = contenders.map(() => sources.map((): TensorMap | null => null));
    const show = async (place: number, at: number): Promise<TimedFrame> => {
      const one = placed[place] as Placed | Failed;
      if ('failure' in one) throw one.failure;
      const timed = await timeFrame(one.session, () => one.prepare(sources[at] as FrameSource), {
        reference: this.#references[at] ?? null,
        deadlineMs: FRAME_DEADLINE_MS,
      });
      const seen = outputs[place];
      if (keepOutputs && seen !== undefined) seen[at] = timed.result.outputs;
      return timed;
    };
    const entrants = contenders.map(({ floorMs }, place): Entrant<TimedFrame> => {
      let shown = 0;
      return { floorMs, frame: () => show(place, shown++ % sources.length) };
    });
    const latencyMs = (frame: TimedFrame): number => frame.prepareMs + frame.inferMs;
    const nowMs = (): number => performance.now();
    this.#tell(`measuring ${contenders.length} placements in turn`);
    const rounds = await measureRounds(entrants, latencyMs, { ...limits, nowMs });
    if (keepOutputs) await this.#completeOutputs(outputs, rounds, show);
    return contenders.map(({ label }, at) => {
      const row = rowOf(label, rounds[at] ?? { frames: [], note: null }, latencyMs);
      return keepOutputs ? { ...row, outputs: outputs[at] ?? [] } : row;
    });
  }

  /** Frames that no round had time for, not timed: as many as a placement makes in {@link COMPLETE_MS}. */
  async #completeOutputs(
    outputs: readonly (readonly (TensorMap | null)[])[],
    rounds: readonly RoundFrames<TimedFrame>[],
    show: (place: number, at: number) => Promise<TimedFrame>,
  ): Promise<void> {
    for (const [place, seen] of outputs.entries()) {
      const frames = rounds[place]?.frames ?? [];
      let leftMs = frames.length === 0 ? 0 : COMPLETE_MS;
      for (const [at, known] of seen.entries()) {
        if (known !== null || leftMs <= 0) continue;
        const { prepareMs, inferMs } = await show(place, at);
        leftMs -= prepareMs + inferMs;
      }
    }
  }

  async #place(placement: EdgePlacement, cloud: CloudAccess): Promise<Placed> {
    const { modelId } = this.#setup;
    const raw = ({ tensors }: FrameSource): FrameInputs => tensors;
    if (placement.kind === 'cloud') {
      const { as } = placement;
      const inputCodec = as === 'lossless' ? as : 'raw';
      const session = await openSession({ kind: 'nothing', inputCodec }, modelId, cloud);
      return { session, prepare: typeof as === 'string' ? raw : this.#encoder(as) };
    }
    const device = placement.kind === 'edge' ? this.#wholeOnDevice() : await this.#head(placement.folder);
    return { session: await openSession(device, placement.kind === 'edge' ? null : placement.id, cloud), prepare: raw };
  }

  #encoder(coding: Parameters<typeof encodeInput>[1]): Placed['prepare'] {
    return async ({ picture, tensors }) => {
      const [name, second] = tensors.keys();
      if (picture === null || name === undefined || second !== undefined) {
        throw new KerfError('INVALID_ARGUMENT', 'only a picture for a model of one input can be sent as an image');
      }
      return new Map([[name, await encodeInput(picture, coding)]]);
    };
  }

  #wholeOnDevice(): OnDevice {
    if (this.#whole === null) throw new KerfError('MODEL_UNSUPPORTED', 'the whole model does not run on this edge');
    return { kind: 'whole', model: this.#whole };
  }

  async #head(folder: string): Promise<OnDevice> {
    const known = this.#heads.get(folder);
    if (known !== undefined) return { kind: 'split', opened: known };
    const opened = await openSplitFolder(folder, { backend: this.#backend, load: loadOptions(this.#setup) });
    const tensors: TensorMap = this.#setup.sources[0]?.tensors ?? new Map();
    const inputs = new Map(
      opened.split.headInputs.flatMap((name) => {
        const tensor = tensors.get(name);
        return tensor === undefined ? [] : [[name, tensor] as const];
      }),
    );
    for (let run = 0; run < WARM_RUNS; run++) await opened.head.run(inputs);
    this.#heads.set(folder, opened);
    return { kind: 'split', opened };
  }

  async #makeRoom(contenders: readonly EdgeContender[]): Promise<void> {
    const wanted = new Set(contenders.map(({ placement }) => (placement.kind === 'split' ? placement.folder : '')));
    if (new Set([...this.#heads.keys(), ...wanted]).size <= MAX_HEADS) return;
    for (const [folder, opened] of this.#heads) {
      if (wanted.has(folder)) continue;
      this.#heads.delete(folder);
      await opened.dispose();
    }
  }
}

interface Placed {
  readonly session: EdgeSession;
  readonly prepare: (source: FrameSource) => FrameInputs | Promise<FrameInputs>;
}

interface Failed {
  readonly failure: unknown;
}

function loadOptions({ runtime }: Setup): LoadOptions {
  return runtime.threads === null ? {} : { threads: runtime.threads };
}

async function runWhole(
  backend: Backend,
  setup: Setup,
): Promise<{ readonly model: LoadedModel; readonly outputs: readonly TensorMap[] }> {
  const model = await backend.load({ path: setup.modelPath }, loadOptions(setup));
  const first = setup.sources[0]?.tensors ?? new Map();
  for (let run = 1; run < WARM_RUNS; run++) await model.run(first);
  const outputs: TensorMap[] = [];
  for (const { tensors } of setup.sources) outputs.push(await model.run(tensors));
  return { model, outputs };
}

function rowOf(
  label: string,
  { frames, note }: RoundFrames<TimedFrame>,
  latencyMs: (frame: TimedFrame) => number,
): MeasuredRow {
  const latenciesMs = frames.map(latencyMs);
  const differences = frames.flatMap(({ maxAbsDifference }) => maxAbsDifference ?? []);
  const bytes = (read: (frame: TimedFrame) => number): number =>
    frames.length === 0 ? 0 : Math.round(medianOf(frames, read));
  return {
    label,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    latenciesMs,
    bytesUpPerFrame: bytes(({ result }) => result.bytesUp),
    bytesDownPerFrame: bytes(({ result }) => result.bytesDown),
    maxAbsDifference: differences.length === 0 ? null : Math.max(...differences),
    parts: frames.length === 0 ? null : partsOf(frames),
    note,
  };
}
