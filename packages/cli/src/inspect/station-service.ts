// A running station -> what the Inspector asks and is told.
import type {
  Caller,
  CallName,
  CallParams,
  CallResults,
  InspectorService,
  PictureView,
  StationView,
  ThresholdsChange,
  ThresholdsView,
  TopicName,
  Topics,
  UpdatesView,
} from '@kerf/bridge';
import { CALLS } from '@kerf/bridge';
import type { DeliveredPicture, ResultRecord, StationEvent } from '@kerf/edge-runtime';
import type { OpenedStation, StationFile } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { VERSION } from '../command.ts';
import { CutDesk } from './cut/cut-desk.ts';
import { type DeviceDesks, deviceCalls } from './device-calls.ts';
import { writeThresholds } from './edit-thresholds.ts';
import { encodedPicture } from './encoded-picture.ts';
import { healthView } from './health.ts';
import { labelledScores, scoreViews } from './labelled-scores.ts';
import { previewThresholds } from './preview-thresholds.ts';
import { ResultHistory } from './result-history.ts';
import { sampleCalls, samplesView } from './sample-calls.ts';
import type { ServiceCalls } from './service-calls.ts';
import { SessionDesk } from './session-desk.ts';
import { stationView } from './station-view.ts';
import { WhyDesk } from './why-desk.ts';

/** Between two `station` events. */
const VIEW_INTERVAL_MS = 250;
/** Between two `cut` events. */
const CUT_INTERVAL_MS = 1_000;
/** Parts that a histogram and a preview look at. */
const RECENT_PARTS = 2_000;
/** Changes of thresholds that are remembered. */
const MAX_CHANGES = 200;
/** Parts that the means of bytes are over. */
const MEAN_PARTS = 50;
/** Pictures that wait to be encoded; of more, only the record is kept. */
const MAX_WAITING_PICTURES = 4;
/** Of the diagnostics. */
const DIAGNOSED_RECORDS = 200;
/** Calls that need more than a viewer and change nothing: no entries of the audit log. */
const LOOKING: ReadonlySet<CallName> = new Set([
  'why.ways',
  'updates.look',
  'updates.drives',
  'health.link',
  'health.selfTest',
]);

export class StationService implements InspectorService {
  private readonly opened: OpenedStation;
  private readonly file: StationFile;
  private readonly desks: DeviceDesks;
  private readonly sessions: SessionDesk;
  private readonly why: WhyDesk;
  private readonly calls: ServiceCalls;
  private readonly history = new ResultHistory();
  private readonly listeners = new Map<TopicName, Set<(value: never) => void>>();
  private readonly changes: ThresholdsChange[] = [];
  private readonly cut: CutDesk;
  private readonly startedMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private readonly cutTimer: NodeJS.Timeout;
  private readonly endEvents: readonly (() => void)[];
  private sourceReason: StationView['source']['reason'] = null;
  private pictureBytes: number[] = [];
  /** Records are shown in the order in which they came, whatever their pictures take to encode. */
  private showing: Promise<void> = Promise.resolve();
  private waitingPictures = 0;
  private saving: Promise<unknown> = Promise.resolve();

  constructor(opened: OpenedStation, file: StationFile, desks: DeviceDesks) {
    this.opened = opened;
    this.file = file;
    this.desks = desks;
    this.cut = new CutDesk({
      opened,
      fileNow: desks.fileNow,
      latest: (count) => this.history.latest(count),
      onChange: () => this.tellCut(),
    });
    this.why = new WhyDesk({ opened, file: desks.fileNow, find: (resultId) => this.held(resultId) });
    this.sessions = new SessionDesk({
      recorder: opened.recorder,
      file: desks.fileNow,
      onChange: (view) => this.tell('sessions', () => view),
    });
    this.calls = this.answers();
    this.endEvents = [
      opened.station.onEvent((event) => this.onEvent(event)),
      opened.samples?.onKept(() => this.showSamples()) ?? (() => {}),
    ];
    this.timer = setInterval(() => this.tell('station', () => this.view()), VIEW_INTERVAL_MS);
    this.timer.unref();
    this.cutTimer = setInterval(() => this.tellCut(), CUT_INTERVAL_MS);
    this.cutTimer.unref();
  }

  async call<N extends CallName>(name: N, params: CallParams<N>, caller: Caller): Promise<CallResults[N]> {
    const answer = await this.calls[name](params, caller);
    if (CALLS[name].role !== 'viewer' && !LOOKING.has(name)) await this.note(name, params, caller);
    return answer;
  }

  subscribe<T extends TopicName>(topic: T, listener: (value: Topics[T]) => void): () => void {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set.add(listener as (value: never) => void));
    return () => set.delete(listener as (value: never) => void);
  }

  showUpdates(view: UpdatesView): void {
    this.tell('updates', () => view);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    clearInterval(this.cutTimer);
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
      'results.list': ({ before, limit, verdicts }) => this.history.list(before, limit, verdicts),
      'results.get': ({ resultId }) => this.history.get(resultId),
      'results.picture': ({ resultId }) => this.history.picture(resultId),
      'thresholds.view': () => this.thresholds,
      'thresholds.scores': () => scoreViews(this.history.latest(RECENT_PARTS), this.labelled),
      'thresholds.preview': (thresholds) =>
        previewThresholds(this.history.latest(RECENT_PARTS), thresholds, this.labelled),
      'thresholds.save': (change, caller) => {
        // One after the other: the second of two must see that the first was there.
        const saved = this.saving.then(() => this.save(change, caller));
        this.saving = saved.catch(() => {});
        return saved;
      },
      'thresholds.history': () => [...this.changes].reverse(),
      'health.view': () => this.health(),
      ...this.cut.calls,
      ...this.sessions.calls,
      ...this.why.calls,
      ...sampleCalls(this.opened.samples, () => this.showSamples()),
      ...deviceCalls(this.desks, async () => ({
        health: await this.health(),
        line: this.view(),
        records: this.history
          .latest(DIAGNOSED_RECORDS)
          .reverse()
          .map((record) => ({ ...record, mask: null })),
      })),
    };
  }

  private get labelled(): ReturnType<typeof labelledScores> {
    return labelledScores(this.opened.samples, this.opened.station.snapshot.release);
  }

  private held(resultId: string): { record: ResultRecord; picture: PictureView } | null {
    const record = this.history.get(resultId);
    const picture = this.history.picture(resultId);
    return record === null || picture === null ? null : { record, picture };
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

  private get thresholds(): ThresholdsView {
    const { passBelow, ngAbove } = this.opened.thresholds;
    return { passBelow, ngAbove, version: this.opened.station.snapshot.thresholdsVersion, isEditable: true };
  }

  private mustBe(state: StationView['state']): void {
    const is = this.opened.station.snapshot.state;
    if (is !== state) throw new KerfError('CONFLICT', `the line is ${is}, not ${state}`);
  }

  private async save(
    { passBelow, ngAbove, from, note }: CallParams<'thresholds.save'>,
    caller: Caller,
  ): Promise<ThresholdsView> {
    if (!(passBelow <= ngAbove)) {
      throw new KerfError('INVALID_ARGUMENT', `PASS below ${passBelow} and NG from ${ngAbove} on overlap: swap them`);
    }
    if (from !== this.thresholds.version) {
      throw new KerfError('CONFLICT', 'the thresholds were changed meanwhile: look at them and change them again');
    }
    // The file first: what the line does must be what it will do after a restart.
    await writeThresholds(this.file.path, { passBelow, ngAbove });
    await this.opened.setThresholds({ passBelow, ngAbove });
    const { version } = this.thresholds;
    this.changes.push({ version, passBelow, ngAbove, at: new Date().toISOString(), by: caller.name, note });
    if (this.changes.length > MAX_CHANGES) this.changes.shift();
    return this.thresholds;
  }

  private view(): StationView {
    const latest = this.history.latest(MEAN_PARTS);
    return stationView(this.opened.station.snapshot, {
      sourceName: this.file.config.source.name,
      sourceReason: this.sourceReason,
      uptimeMs: Math.round(performance.now() - this.startedMs),
      wallMs: Date.now(),
      provider: this.file.config.model.provider,
      route: latest.at(-1)?.route ?? null,
      bytesUpPerPart: mean(latest.map(({ bytesUp }) => bytesUp)),
      pictureBytesPerPart: mean(this.pictureBytes),
      queued: Math.max(0, ...this.opened.outbox.sinks.map(({ waiting }) => waiting)),
    });
  }

  private onEvent(event: StationEvent): void {
    if (event.kind === 'record') this.onRecord(event.record, event.picture);
    else if (event.kind === 'thresholds') this.tell('thresholds', () => this.thresholds);
    else if (event.kind === 'source') {
      const { state } = event;
      this.sourceReason = state.kind === 'lost' ? { code: state.code, message: state.message } : null;
      this.tell('station', () => this.view());
    }
  }

  private onRecord(record: ResultRecord, delivered: DeliveredPicture | null): void {
    if (delivered?.original.kind === 'encoded') {
      this.pictureBytes = [...this.pictureBytes, delivered.original.bytes.byteLength].slice(-MEAN_PARTS);
    }
    const isShown = delivered !== null && this.waitingPictures < MAX_WAITING_PICTURES;
    if (isShown) this.waitingPictures++;
    this.showing = this.showing.then(async () => {
      const picture = isShown ? await encodedPicture(delivered).catch(() => null) : null;
      if (isShown) this.waitingPictures--;
      this.show(record, picture);
    });
  }

  private show(record: ResultRecord, picture: PictureView | null): void {
    this.history.add(record, picture);
    this.tell('result', () => record);
    if (record.revision === 0) this.tell('live', () => ({ record, picture }));
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

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
