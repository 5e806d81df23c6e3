// A running station -> what the Inspector asks and is told.
import { dirname, resolve } from 'node:path';
import type {
  Caller,
  CallName,
  CallParams,
  CallResults,
  InspectorService,
  LiveView,
  StationView,
  TopicName,
  Topics,
  UpdatesView,
} from '@kerf/bridge';
import { CALLS, causeView, withoutFolders } from '@kerf/bridge';
import type { SourceState, StationEvent } from '@kerf/edge-runtime';
import type { OpenedStation, StationFile } from '@kerf/edge-runtime/node';
import { KerfError, systemClock } from '@kerf/protocol';
import { VERSION } from '../command.ts';
import { CutDesk } from './cut/cut-desk.ts';
import { type DeviceDesks, deviceCalls } from './device-calls.ts';
import { healthView } from './health.ts';
import { previewPicture } from './preview-picture.ts';
import { RecordDesk } from './record-desk.ts';
import { sampleCalls, samplesView } from './sample-calls.ts';
import type { ServiceCalls } from './service-calls.ts';
import { SessionDesk } from './session-desk.ts';
import { stationView } from './station-view.ts';
import { ThresholdDesk } from './threshold-desk.ts';
import { WhyDesk } from './why-desk.ts';

/** Between two `station` events. */
const VIEW_INTERVAL_MS = 250;
/** Between two `cut` events, and two of `sessions` while a recording grows. */
const SLOW_INTERVAL_MS = 1_000;
/** Of the diagnostics. */
const DIAGNOSED_RECORDS = 200;
/** Calls that need more than a viewer and change nothing: no entries of the audit log. */
const LOOKING: ReadonlySet<CallName> = new Set([
  'why.ways',
  'why.cancel',
  'updates.look',
  'updates.drives',
  'health.link',
  'health.selfTest',
  'health.cancel',
]);

export class StationService implements InspectorService {
  readonly preview = previewPicture;
  private readonly opened: OpenedStation;
  private readonly file: StationFile;
  private readonly desks: DeviceDesks;
  private readonly records: RecordDesk;
  private readonly thresholds: ThresholdDesk;
  private readonly sessions: SessionDesk;
  private readonly why: WhyDesk;
  private readonly cut: CutDesk;
  private readonly calls: ServiceCalls;
  private readonly listeners = new Map<TopicName, Set<(value: never) => void>>();
  private readonly startedMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private readonly slowTimer: NodeJS.Timeout;
  private readonly endEvents: readonly (() => void)[];
  private sourceReason: StationView['source']['reason'] = null;

  constructor(opened: OpenedStation, file: StationFile, desks: DeviceDesks) {
    this.opened = opened;
    this.file = file;
    this.desks = desks;
    this.records = new RecordDesk({
      onResult: (record) => this.tell('result', () => record),
      onLive: (live) => this.tell('live', () => live),
    });
    const { history } = this.records;
    this.thresholds = new ThresholdDesk({ opened, file, history });
    this.cut = new CutDesk({
      opened,
      fileNow: desks.fileNow,
      latest: (count) => history.latest(count),
      onChange: () => this.tellCut(),
    });
    this.why = new WhyDesk({ opened, file: desks.fileNow, find: (resultId) => this.records.held(resultId) });
    this.sessions = new SessionDesk({
      recorder: opened.recorder,
      file: desks.fileNow,
      pictures: opened.station.reading.pictures,
      onChange: (view) => this.tell('sessions', () => view),
    });
    this.calls = this.answers();
    this.endEvents = [
      opened.station.onEvent((event) => this.onEvent(event)),
      opened.samples?.onKept(() => this.showSamples()) ?? (() => {}),
    ];
    this.timer = setInterval(() => this.tell('station', () => this.view()), VIEW_INTERVAL_MS);
    this.timer.unref();
    this.slowTimer = setInterval(() => {
      this.tellCut();
      this.sessions.look();
    }, SLOW_INTERVAL_MS);
    this.slowTimer.unref();
  }

  async call<N extends CallName>(name: N, params: CallParams<N>, caller: Caller): Promise<CallResults[N]> {
    const answer = await this.calls[name](params, caller);
    if (CALLS[name].role !== 'viewer' && !LOOKING.has(name)) await this.note(name, params, caller);
    return answer;
  }

  subscribe<T extends TopicName>(topic: T, listener: (value: Topics[T]) => void): () => void {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set.add(listener as (value: never) => void));
    // A page that is opened while the line stands shows the last part, not an empty line.
    const { live } = this.records;
    if (topic === 'live' && live !== null) (listener as (value: LiveView) => void)(live);
    return () => set.delete(listener as (value: never) => void);
  }

  showUpdates(view: UpdatesView): void {
    this.tell('updates', () => view);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    clearInterval(this.slowTimer);
    this.cut.close();
    for (const end of this.endEvents) end();
    await this.sessions.close();
    await this.why.close();
  }

  private answers(): ServiceCalls {
    return {
      'session.hello': (_, { role }) => ({
        version: VERSION,
        station: this.file.config.station,
        role,
        wallMs: Date.now(),
      }),
      'session.clock': () => ({ stationMs: systemClock.nowMs() }),
      'station.view': () => this.view(),
      'station.pause': () => {
        this.mustBe('running');
        this.opened.station.pause();
        return null;
      },
      'station.resume': () => {
        this.mustBe('paused');
        this.opened.station.resume();
        return null;
      },
      'health.view': () => this.health(),
      ...this.records.calls,
      ...this.thresholds.calls,
      ...this.cut.calls,
      ...this.sessions.calls,
      ...this.why.calls,
      ...sampleCalls(this.opened.samples, this.opened.station.reading.pictures, () => this.showSamples()),
      ...deviceCalls(this.desks, async () => ({
        health: await this.health(),
        line: this.view(),
        records: this.records.history
          .latest(DIAGNOSED_RECORDS)
          .reverse()
          .map((record) => ({ ...record, mask: null })),
      })),
    };
  }

  private showSamples(): void {
    this.tell('samples', () => samplesView(this.opened.samples));
  }

  private health(): ReturnType<typeof healthView> {
    return healthView(this.file.folder, this.file.config.model.provider);
  }

  /** Who did what; whether it came to a good end is told by the line and the device's history. */
  private async note(action: CallName, params: object, { name: actor }: Caller): Promise<void> {
    await this.desks.audit.append({ actor, action, subject: this.file.config.station, detail: { ...params } });
  }

  private mustBe(state: StationView['state']): void {
    const is = this.opened.station.snapshot.state;
    if (is !== state) throw new KerfError('CONFLICT', `the line is ${is}, not ${state}`);
  }

  private view(): StationView {
    return stationView(this.opened.station.snapshot, {
      sourceName: this.file.config.source.name,
      sourceReason: this.sourceReason,
      uptimeMs: Math.round(performance.now() - this.startedMs),
      wallMs: Date.now(),
      provider: this.file.config.model.provider,
      route: this.records.history.latest(1)[0]?.route ?? null,
      ...this.records.means,
      outbox: this.opened.outbox,
    });
  }

  private onEvent(event: StationEvent): void {
    if (event.kind === 'record') this.records.see(event);
    else if (event.kind === 'thresholds') this.tell('thresholds', () => this.thresholds.view);
    else if (event.kind === 'source') {
      const { state } = event;
      this.sourceReason = state.kind === 'lost' ? this.reasonOf(state) : null;
      this.tell('station', () => this.view());
    }
  }

  /** The source has its name on the screens; where it lies on the device is for the log. */
  private reasonOf({ code, message, cause }: Extract<SourceState, { kind: 'lost' }>) {
    const { folder, config } = this.file;
    const around = 'path' in config.source ? [dirname(resolve(folder, config.source.path))] : [];
    const known = [...around, folder];
    return { code, message: withoutFolders(message, known), cause: causeView(cause, known) };
  }

  private tellCut(): void {
    if ((this.listeners.get('cut')?.size ?? 0) === 0) return;
    this.cut.state().then(
      (state) => this.tell('cut', () => state),
      // Whoever asks for the state hears what is wrong.
      () => {},
    );
  }

  private tell<T extends TopicName>(topic: T, make: () => Topics[T]): void {
    const listeners = this.listeners.get(topic);
    if (listeners === undefined || listeners.size === 0) return;
    const value = make();
    for (const listener of listeners) listener(value as never);
  }
}
