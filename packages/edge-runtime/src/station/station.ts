// Source, models, judge and store -> a station that runs: a verdict for every part, and figures for who watches.
import type { CertificateCause, Clock, ErrorCode, Random } from '@kerf/protocol';
import { KerfError, messageOf } from '@kerf/protocol';
import type { Capture, Picture } from '../capture/capture.ts';
import type { Source, SourceCounters, SourceState } from '../capture/source.ts';
import type { Trigger, TriggerCounters } from '../capture/trigger.ts';
import type { StageCounters } from '../pipeline/stage.ts';
import type { DeliveredPicture } from '../sinks/sink.ts';
import type { Judged, Judges } from './answer.ts';
import { type InferCounters, InferDesk, type SmallModel } from './infer-frame.ts';
import type { MainModel } from './inferer.ts';
import { Line, type StageName } from './line.ts';
import { firstRecord, type RecordContext } from './make-record.ts';
import { type StageSettings, WORKERS_ALONE, WORKERS_WITH_CLOUD } from './options.ts';
import type { Reading } from './reading.ts';
import { Reconciler } from './reconciler.ts';
import type { ResultRecord } from './result-record.ts';
import type { ResultStore } from './result-store.ts';
import { SpareTime } from './spare-time.ts';
import type { StationFrame } from './station-frame.ts';
import { type StationFigures, Statistics } from './statistics.ts';

export interface StationParts {
  readonly station: string;
  /** Of this run: no other run of the station has it. */
  readonly run: string;
  readonly source: Source;
  /** Who asks the source for pictures; null where it runs free. */
  readonly trigger: Trigger | null;
  readonly reading: Reading;
  readonly main: MainModel;
  readonly small: SmallModel | null;
  readonly judges: Judges;
  readonly store: ResultStore;
  /** True where the store outlives the station, so that provisional verdicts can be made final after a restart. */
  readonly isStoreLasting: boolean;
  readonly stages: StageSettings;
  readonly deadlineMs: number;
  readonly reconcileForMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallNow: () => number;
}

export type StationEvent =
  | {
      readonly kind: 'record';
      readonly record: ResultRecord;
      /** The part's picture, for who looks at it now; null where there was none, or the record is a later one. */
      readonly picture: DeliveredPicture | null;
      /** When the line got the part, by its clock; null of a later record. */
      readonly takenMs: number | null;
    }
  | { readonly kind: 'source'; readonly state: SourceState }
  /** A capture that nobody asked for was given up at the door. */
  | { readonly kind: 'dropped'; readonly source: string; readonly sequence: number }
  | { readonly kind: 'thresholds'; readonly version: string }
  /** A record could not be handed on: a fault in kerf or in its store. */
  | { readonly kind: 'fault'; readonly code: KerfError['code']; readonly message: string };

export interface StationSnapshot extends StationFigures {
  readonly state: 'ready' | 'running' | 'paused' | 'draining' | 'stopped';
  readonly source: SourceCounters & { readonly state: SourceState['kind'] };
  /** Null where the source runs free. */
  readonly trigger: TriggerCounters | null;
  readonly stages: Readonly<Record<StageName, StageCounters>>;
  readonly models: InferCounters;
  /** `connected`, why not, or null where there is no cloud. */
  readonly link: string | null;
  /** What is wrong with the link; null where nothing is, or nobody knows yet. */
  readonly linkCode: ErrorCode | null;
  /** Of a certificate that does not hold: why. */
  readonly linkCause: CertificateCause | null;
  readonly unsettled: number;
  readonly release: string;
  readonly thresholdsVersion: string;
}

export class Station {
  private readonly parts: StationParts;
  private readonly desk: InferDesk;
  private readonly line: Line;
  private readonly reconciler: Reconciler;
  private readonly statistics: Statistics;
  private readonly listeners = new Set<(event: StationEvent) => void>();
  private current: Judges;
  private state: StationSnapshot['state'] = 'ready';
  private sourceState: SourceState = { kind: 'starting' };
  private stopping: Promise<void> | null = null;
  private resolveEnded: (() => void) | null = null;
  /** Resolves when the source has come to its end or was stopped. */
  readonly ended: Promise<void>;

  constructor(parts: StationParts) {
    this.parts = parts;
    this.current = parts.judges;
    this.statistics = new Statistics(parts.clock);
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    const { main, small, clock, random, deadlineMs, reading, stages, store } = parts;
    const judges = (): Judges => this.current;
    const spare = new SpareTime(deadlineMs);
    this.desk = new InferDesk({ main, small, judges, clock, spare, deadlineMs });
    this.line = new Line({
      stages,
      inferWorkers: main.link() === null ? WORKERS_ALONE : WORKERS_WITH_CLOUD,
      reading,
      desk: this.desk,
      models: { main: main.inferer, small: small?.inferer ?? null },
      judges,
      clock,
      random,
      spare,
      deadlineMs,
      onJudged: (frame, judged) => this.hand(frame, judged),
      onDropped: ({ source, sequence }) => this.tell({ kind: 'dropped', source, sequence }),
    });
    this.reconciler = new Reconciler({
      store,
      main,
      reading,
      clock,
      judges,
      context: () => this.context(),
      isBusy: () => this.line.isBusy,
      spare,
      patienceMs: parts.reconcileForMs,
      onReconciled: (record, before) => {
        this.statistics.count(record, before);
        this.tell({ kind: 'record', record, picture: null, takenMs: null });
      },
    });
  }

  /** Begins to take pictures. @throws {KerfError} what the source throws. */
  async start(): Promise<void> {
    if (this.state !== 'ready') throw new KerfError('INVALID_ARGUMENT', 'a station is started once');
    this.state = 'running';
    this.reconciler.start();
    await this.parts.source.start({
      onCapture: (capture) => this.line.take(capture),
      onState: (state) => this.onSource(state),
    });
    await this.parts.trigger?.start((request) => this.parts.source.trigger(request));
  }

  /** Takes no more pictures in; what is inside goes on. A source that cannot wait drops, and counts it. */
  pause(): void {
    if (this.state !== 'running') return;
    this.state = 'paused';
    this.line.pause();
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    this.line.resume();
  }

  /** How pictures are read. */
  get reading(): Reading {
    return this.parts.reading;
  }

  /** Who judges now. */
  get judges(): Judges {
    return this.current;
  }

  /** Other thresholds or tasks from now on, at a frame boundary; each record says which judged it. */
  setJudges(judges: Judges): void {
    this.current = judges;
    this.tell({ kind: 'thresholds', version: judges.main.version });
  }

  /**
   * Runs `change` between two frames: what is inside has its record by then, and what waits goes on after it. One at a
   * time.
   */
  betweenFrames(change: () => void): Promise<void> {
    return this.line.betweenFrames(async () => {
      await this.reconciler.rest();
      change();
    });
  }

  /** A part from a program, beside the source: its record comes as an event. Resolves when there is room for the next one. */
  take(capture: Capture): Promise<void> {
    return this.line.take(capture);
  }

  /** Ends the source and waits until everything captured has its record in the store. */
  stop(): Promise<void> {
    this.stopping ??= this.drain();
    return this.stopping;
  }

  get snapshot(): StationSnapshot {
    const { source, main, store } = this.parts;
    const link = main.link();
    const linkCode = link !== null && 'code' in link ? link.code : null;
    return {
      ...this.statistics.figures,
      state: this.state,
      source: { ...source.counters, state: this.sourceState.kind },
      trigger: this.parts.trigger?.counters ?? null,
      stages: this.line.counters,
      models: this.desk.counters,
      link: link === null || linkCode === null ? (link?.kind ?? null) : `${link.kind}: ${linkCode}`,
      linkCode,
      linkCause: link?.kind === 'faulted' ? link.cause : null,
      unsettled: store.unsettled.length,
      release: main.release,
      thresholdsVersion: this.current.main.version,
    };
  }

  /** Calls `listener` with everything that happens; the returned function ends that. */
  onEvent(listener: (event: StationEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private async drain(): Promise<void> {
    this.state = 'draining';
    // Where the line is paused, a source or a trigger that waits for room or for a result would never end.
    this.line.resume();
    await this.parts.trigger?.stop();
    await this.parts.source.stop();
    await this.line.drain();
    await this.reconciler.stop(this.parts.isStoreLasting);
    this.state = 'stopped';
    this.resolveEnded?.();
  }

  private onSource(state: SourceState): void {
    this.sourceState = state;
    this.tell({ kind: 'source', state });
    if (state.kind === 'ended' || state.kind === 'stopped') this.resolveEnded?.();
  }

  /** Into the store; then whoever waits for the part is told. */
  private async hand(frame: StationFrame, judged: Judged): Promise<void> {
    const record = firstRecord(frame, judged, this.context());
    const { picture, onResult } = frame.capture;
    const delivered = picture === null ? null : this.deliveredOf(picture);
    try {
      await this.parts.store.put(record, {
        kept: record.isPartial ? picture : null,
        picture: delivered,
      });
      const { startMs, totalMs } = frame.spans;
      this.statistics.count(record, null, this.parts.clock.nowMs() - startMs - totalMs);
      onResult?.(record);
      this.tell({ kind: 'record', record, picture: delivered, takenMs: startMs });
    } catch (error) {
      const { code, message } = KerfError.from(error, 'INTERNAL', messageOf(error));
      this.tell({ kind: 'fault', code, message: `the record ${record.resultId} was not taken: ${message}` });
    }
  }

  private deliveredOf(picture: Picture): DeliveredPicture {
    return { original: picture, pictures: this.parts.reading.pictures };
  }

  private context(): RecordContext {
    const { station, run, main, wallNow } = this.parts;
    return { station, run, release: main.release, wallMs: wallNow() };
  }

  private tell(event: StationEvent): void {
    // A listener that fails must not break the line that tells it; its error surfaces as an unhandled rejection.
    for (const listener of this.listeners) void Promise.resolve(event).then(listener);
  }
}
