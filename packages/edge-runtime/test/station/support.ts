// A station around models that a test scripts, on a clock that it moves.

import { type ErrorCode, float32Tensor, KerfError, type TensorSpec } from '@kerf/protocol';
import type { Capture, Picture } from '../../src/capture/capture.ts';
import type { Source, SourceHandler } from '../../src/capture/source.ts';
import { memoryDisk } from '../../src/outbox/memory-disk.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import type { InferOptions } from '../../src/session/edge-session.ts';
import type { FrameInputs } from '../../src/session/inputs.ts';
import type { Outcome } from '../../src/session/outcome.ts';
import type { Delivery, Sink } from '../../src/sinks/sink.ts';
import type { SmallModel } from '../../src/station/infer-frame.ts';
import type { Inferer, MainModel } from '../../src/station/inferer.ts';
import { makeJudge } from '../../src/station/judge/judge.ts';
import { STAGES, type StageSettings } from '../../src/station/options.ts';
import { READABLE } from '../../src/station/picture-check.ts';
import { PLAIN_PICTURES } from '../../src/station/picture-rule.ts';
import { picturesWith } from '../../src/station/pictures-with.ts';
import type { Reading } from '../../src/station/reading.ts';
import type { ResultRecord } from '../../src/station/result-record.ts';
import { Station, type StationEvent, type StationParts } from '../../src/station/station.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

/** 8 x 8 pixels with a gradient, so that the picture is neither flat nor dark. */
export function picture(seed = 0): Picture {
  const data = Uint8Array.from({ length: 192 }, (_, at) => (at + seed * 7) % 256);
  return { kind: 'pixels', image: { width: 8, height: 8, data } };
}

export function captureOf(part: string | null, more: Partial<Capture> = {}): Capture {
  return {
    source: 'test',
    sequence: 0,
    key: null,
    takenAt: 1_700_000_000_000,
    partId: part,
    picture: picture(),
    fault: null,
    isRepeat: false,
    isSimulated: false,
    onResult: null,
    ...more,
  };
}

const SPEC: TensorSpec = { name: 'image', dtype: 'uint8', shape: [1, 3, 8, 8] };

/** How a scripted model answers: a score, a code, or not before its deadline. */
export type Script = number | ErrorCode | 'hang' | 'throw' | 'garbage';

export class ScriptedInferer implements Inferer {
  inputs: readonly TensorSpec[] | null = [SPEC];
  readonly calls: InferOptions[] = [];
  script: Script | ((call: number) => Script);
  tookMs: number;
  /** Ignores the deadline that it is given, as nothing of ours may. */
  isRude = false;
  private readonly clock: FakeClock;

  constructor(clock: FakeClock, script: Script | ((call: number) => Script), tookMs = 10) {
    this.clock = clock;
    this.script = script;
    this.tookMs = tookMs;
  }

  infer(_inputs: FrameInputs, options: InferOptions = {}): Promise<Outcome> {
    const script = typeof this.script === 'function' ? this.script(this.calls.length) : this.script;
    this.calls.push(options);
    if (script === 'throw') return Promise.reject(new Error('scripted'));
    const deadlineMs = options.deadlineMs ?? 1e9;
    const isLate = script === 'hang' || this.tookMs >= deadlineMs;
    if (isLate && this.isRude) return new Promise(() => {});
    const tookMs = isLate ? deadlineMs : this.tookMs;
    return new Promise((resolve) => {
      this.clock.after(tookMs, () => resolve(outcomeOf(isLate ? 'DEADLINE_EXCEEDED' : script, tookMs)));
      options.signal?.addEventListener('abort', () => resolve(outcomeOf('CANCELLED', tookMs)));
    });
  }
}

/** A model behind a link that one frame at a time fills: the next one waits until it is through. */
export class ThinLinkInferer implements Inferer {
  readonly inputs: readonly TensorSpec[] = [SPEC];
  isAway = false;
  private readonly clock: FakeClock;
  private readonly frameMs: number;
  private freeAtMs = 0;

  constructor(clock: FakeClock, frameMs: number) {
    this.clock = clock;
    this.frameMs = frameMs;
  }

  infer(_inputs: FrameInputs, { deadlineMs = 1e9 }: InferOptions = {}): Promise<Outcome> {
    const startMs = this.clock.nowMs();
    if (this.isAway) return Promise.resolve(outcomeOf('LINK_LOST', 0));
    // What has begun to cross goes on crossing, whether or not somebody waits for it.
    this.freeAtMs = Math.max(startMs, this.freeAtMs) + this.frameMs;
    const tookMs = Math.min(this.freeAtMs - startMs, deadlineMs);
    const answer = tookMs < deadlineMs ? 0.1 : 'DEADLINE_EXCEEDED';
    return new Promise((resolve) => void this.clock.after(tookMs, () => resolve(outcomeOf(answer, tookMs))));
  }
}

function outcomeOf(script: Script, tookMs: number): Outcome {
  const none = { queueMs: 0, headMs: 0, encodeMs: 0, networkMs: 0, cloudMs: 0, decodeMs: 0, wayDown: null };
  const spans = { ...none, localMs: tookMs, totalMs: tookMs, cloud: null };
  const base = { frame: 0, spans, bytesUp: 3, bytesDown: 2, nonFinite: 0 };
  if (typeof script === 'string' && script !== 'garbage') {
    return { kind: 'failed', code: script as ErrorCode, message: `scripted ${script}`, ...base };
  }
  const scores = script === 'garbage' ? [1, 2] : [script as number];
  const outputs = new Map([['score', float32Tensor([1, scores.length], Float32Array.from(scores))]]);
  return { kind: 'result', outputs, placement: 'split', fallbackReason: null, ...base };
}

export class ListSink implements Sink {
  readonly name = 'list';
  readonly records: ResultRecord[] = [];
  /** Resolves deliveries when set back to null. */
  gate: Promise<void> | null = null;

  async deliver({ record }: Delivery): Promise<void> {
    await this.gate;
    this.records.push(record);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A source that the test pushes through. */
export class HandSource implements Source {
  readonly name = 'test';
  readonly counters = {
    seen: 0,
    captured: 0,
    dropped: 0,
    late: 0,
    repeated: 0,
    unreadable: 0,
    recoveries: 0,
    skipped: 0,
    missed: 0,
  };
  handler: SourceHandler | null = null;

  start(handler: SourceHandler): Promise<void> {
    this.handler = handler;
    handler.onState({ kind: 'running' });
    return Promise.resolve();
  }

  trigger(): void {
    throw new KerfError('INVALID_ARGUMENT', 'runs free');
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

export interface Bench {
  readonly clock: FakeClock;
  readonly station: Station;
  readonly source: HandSource;
  readonly main: ScriptedInferer;
  readonly small: ScriptedInferer | null;
  readonly sink: ListSink;
  readonly events: StationEvent[];
  readonly take: (part: string | null, more?: Partial<Capture>) => Promise<void>;
}

export interface BenchOptions {
  readonly main?: Script | ((call: number) => Script);
  readonly mainMs?: number;
  readonly small?: Script;
  readonly cascade?: SmallModel['cascade'];
  readonly reading?: Partial<Reading>;
  readonly stages?: (defaults: StageSettings) => StageSettings;
  readonly deadlineMs?: number;
  readonly isReady?: () => boolean;
  readonly parts?: Partial<StationParts>;
  /** Instead of the scripted model. */
  readonly inferer?: (clock: FakeClock) => Inferer;
}

/** PASS below 0.3, NG from 0.7 on; the small model PASS below 0.2, NG from 0.8 on. */
export async function bench(options: BenchOptions = {}): Promise<Bench> {
  const clock = new FakeClock();
  const main = new ScriptedInferer(clock, options.main ?? 0.1, options.mainMs);
  const small = options.small === undefined ? null : new ScriptedInferer(clock, options.small, 5);
  const sink = new ListSink();
  const source = new HandSource();
  const task = { kind: 'anomaly', score: null, mask: null } as const;
  const defaults = STAGES.read({}, '');
  const model: MainModel = {
    inferer: options.inferer?.(clock) ?? main,
    release: 'release-1',
    isReady: options.isReady ?? (() => true),
    roundTripMs: () => null,
    link: () => ({ kind: 'connected', resumed: false, credits: 1 }),
  };
  const station = new Station({
    station: 'bench',
    run: 'run-1',
    source,
    trigger: null,
    reading: {
      pictures: picturesWith({
        decode: (given) =>
          given.kind === 'pixels'
            ? Promise.resolve(given.image)
            : Promise.reject(new KerfError('IMAGE_INVALID', 'scripted: not a picture')),
        resize: (image) => Promise.resolve(image),
        encode: (image) => Promise.resolve(image.data),
        sha256: (bytes) => Promise.resolve(`sum-${bytes.reduce((sum, byte) => sum + byte, 0)}`),
      }),
      picture: { ...PLAIN_PICTURES, crop: null },
      readable: READABLE.read({}, ''),
      partId: { pattern: null, required: false },
      send: null,
      ...options.reading,
    },
    main: model,
    small: small === null ? null : { inferer: small, cascade: options.cascade ?? null },
    judges: {
      main: await makeJudge(task, { passBelow: 0.3, ngAbove: 0.7 }),
      small: small === null ? null : await makeJudge(task, { passBelow: 0.2, ngAbove: 0.8 }),
    },
    store: await Outbox.open({ disk: memoryDisk(), sinks: [sink], options: { clock, random: () => 0.5 } }),
    isStoreLasting: false,
    stages: options.stages?.(defaults) ?? defaults,
    deadlineMs: options.deadlineMs ?? 100,
    reconcileForMs: 60_000,
    clock,
    random: () => 0.5,
    wallNow: () => 1_700_000_000_000 + clock.nowMs(),
    ...options.parts,
  });
  const events: StationEvent[] = [];
  station.onEvent((event) => events.push(event));
  await station.start();
  await settle();
  const take = async (part: string | null, more: Partial<Capture> = {}): Promise<void> => {
    await (source.handler as SourceHandler).onCapture(captureOf(part, more));
  };
  return { clock, station, source, main, small, sink, events, take };
}

/** Lets everything happen that is due within `durationMs`. */
export async function flow(clock: FakeClock, durationMs = 0): Promise<void> {
  await clock.advance(durationMs);
  for (let turn = 0; turn < 8; turn++) await settle();
}
