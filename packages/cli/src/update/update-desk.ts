// A station's device and what a technician asks -> releases looked for, fetched, tried, switched to and gone back from,
// while the line goes on.
import type { CallParams, CanaryView, GoldenView, ReleaseView, UpdatesView } from '@kerf/bridge';
import { type HealthVerdict, parseMaintenanceWindow, type ReleaseWhy } from '@kerf/delta-sync';
import type { DeliveredPicture } from '@kerf/edge-runtime';
import { readStationFile, type StationFile } from '@kerf/edge-runtime/node';
import { KerfError, messageOf, untilAborted } from '@kerf/protocol';
import { refused } from '../refusal.ts';
import { AtMostOften } from './at-most-often.ts';
import { DeviceNow, type NamedRelease } from './device-now.ts';
import { type JobProgress, OneJob } from './one-job.ts';
import { Probation } from './probation.ts';
import { fetchRelease, knownPartsOf, tryOnParts, type WantedRelease } from './staged-work.ts';
import { withRelease } from './station-release.ts';
import { isWindowOpen, releaseView, updatesView } from './update-view.ts';

/** Between two looks at the device's folder, which `kerf update` and `kerf devices follow` change too. */
const WATCH_MS = 5_000;
/** Releases that a look finds. */
const MOST_RELEASES = 20;
/** Between two `updates` events while bytes come. */
const TELL_MS = 200;

export interface UpdateDeskSetup {
  /** As it was read at the start. */
  readonly file: StationFile;
  /** Folder of the device. */
  readonly device: string;
  /** Pictures of the parts that the line judges, for the shadow run of a release on probation. */
  readonly onPicture: (listener: (picture: DeliveredPicture) => void) => () => void;
  /** Lets the line run the model of another version of the file. @throws what loading it throws; then the old one runs on. */
  readonly reload: (file: StationFile) => Promise<unknown>;
  readonly onChange: (view: UpdatesView) => void;
  /** Hears of errors that are no KerfError. */
  readonly onFault: (error: unknown) => void;
}

export class UpdateDesk {
  readonly #setup: UpdateDeskSetup;
  readonly #jobs: OneJob;
  readonly #now: DeviceNow;
  #golden: (GoldenView & { readonly id: string }) | null = null;
  /** Switched to when the maintenance window opens. */
  #waiting: NamedRelease | null = null;
  #releases: readonly ReleaseView[] | null = null;
  #looked: UpdatesView['looked'] = null;
  #canary: CanaryView | null = null;
  /** Of the release that the line runs. */
  #running: string | null;
  readonly #telling: AtMostOften;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #probation: Probation | null;
  readonly #endPictures: () => void;

  private constructor(setup: UpdateDeskSetup, now: DeviceNow) {
    this.#setup = setup;
    this.#now = now;
    this.#running = now.state.active?.id ?? null;
    this.#telling = new AtMostOften(TELL_MS, () => setup.onChange(this.view));
    this.#jobs = new OneJob(() => this.#telling.call(), setup.onFault);
    const shadow = setup.file.config.updates?.shadow ?? null;
    this.#probation =
      shadow === null
        ? null
        : new Probation({
            ...shadow,
            path: setup.file.path,
            now,
            onVerdict: (verdict) => this.#decide(verdict),
            onFault: setup.onFault,
          });
    this.#endPictures = setup.onPicture((picture) => this.#probation?.offer(picture));
    this.#probation?.follow();
    this.#every(WATCH_MS, () => this.#watch());
    const everyMs = setup.file.config.updates?.every ?? null;
    if (everyMs !== null) this.#every(everyMs, () => this.#fetchByItself());
  }

  /** @throws {KerfError} as {@link DeviceNow.open}. */
  static async open(setup: UpdateDeskSetup): Promise<UpdateDesk> {
    return new UpdateDesk(setup, await DeviceNow.open(setup.device));
  }

  get view(): UpdatesView {
    const { updates } = this.#setup.file.config;
    const { staged } = this.#now;
    return updatesView(this.#now, {
      golden: this.#golden !== null && this.#golden.id === staged?.id ? this.#golden : null,
      waiting: this.#waiting,
      everyMs: updates?.every ?? null,
      hasKnownParts: (updates?.knownParts ?? null) !== null,
      hasRegistry: (updates?.registry ?? null) !== null,
      releases: this.#releases,
      looked: this.#looked,
      canary: staged !== null && this.#canary?.version === staged.version ? this.#canary : null,
      job: this.#jobs.job,
      ended: this.#jobs.ended,
    });
  }

  look({ from }: CallParams<'updates.look'>): void {
    this.#jobs.begin('look', null, async ({ signal }) => {
      const looking = this.#now.use(from, '', async (device) => {
        const found = await device.releases(MOST_RELEASES);
        return Promise.all(found.map((candidate) => releaseView(device, candidate)));
      });
      // Shown when the look has ended: until then nothing can be done with what it found.
      this.#releases = await untilAborted(looking, signal);
      this.#looked = { at: new Date().toISOString(), from };
    });
  }

  fetch(wanted: CallParams<'updates.fetch'>): void {
    this.#jobs.begin('fetch', wanted.version, (progress) => this.#fetch(wanted, progress));
  }

  /** What is under way, and what waits for the maintenance window. */
  cancel(): void {
    this.#jobs.cancel();
    if (this.#waiting === null) return;
    this.#waiting = null;
    this.#telling.call();
  }

  /** @throws {KerfError} CONFIG_INVALID without known parts. */
  canary(): void {
    const { file } = this.#setup;
    const on = { station: file.path, parts: knownPartsOf(file) };
    this.#jobs.begin('canary', this.#now.staged?.version ?? null, async (progress) => {
      this.#canary = await tryOnParts(this.#now, on, progress);
    });
  }

  /** @throws {KerfError} RELEASE_NOT_FOUND for a version that is not staged. */
  apply({ version, note }: CallParams<'updates.apply'>, by: string): void {
    const { staged } = this.#now;
    if (staged?.version !== version) throw refused({ kind: 'not-staged' });
    this.#jobs.begin('apply', version, ({ signal }) => this.#apply(staged, said(by, note), signal));
  }

  async confirm({ note }: CallParams<'updates.confirm'>, by: string): Promise<void> {
    await this.#confirm(said(by, note));
  }

  rollBack({ note }: CallParams<'updates.rollBack'>, by: string): void {
    this.#goBack(said(by, note));
  }

  /** @throws {KerfError} INVALID_ARGUMENT for a window that is none. */
  async change({ automatic, pinned, window }: CallParams<'updates.settings'>): Promise<UpdatesView> {
    if (window !== null) parseMaintenanceWindow(window);
    await this.#now.change({ automatic, pinned, window });
    this.#telling.call();
    return this.view;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#endPictures();
    await this.#jobs.close();
    await this.#probation?.close();
    this.#telling.close();
  }

  async #confirm(note: ReleaseWhy): Promise<void> {
    await this.#now.use(null, note, (device) => device.confirm());
    this.#probation?.follow();
    this.#telling.call();
  }

  #goBack(why: ReleaseWhy): void {
    this.#jobs.begin('rollBack', this.#now.state.previous?.version ?? null, async () => {
      await this.#now.use(null, '', (device) => device.rollBack(why));
      await this.#runActive();
    });
  }

  /** What the health gate found; a job that is under way comes first, and the next look asks again. */
  #decide({ decision, cause }: HealthVerdict): void {
    if (this.#jobs.job !== null || cause === null) return;
    if (decision === 'keep') void this.#confirm(cause).catch(this.#setup.onFault);
    else this.#goBack(cause);
  }

  async #fetch(wanted: WantedRelease, progress: JobProgress): Promise<void> {
    this.#canary = null;
    this.#waiting = null;
    const golden = await fetchRelease(this.#now, wanted, progress);
    if (golden !== null) this.#golden = golden;
  }

  async #apply(staged: NamedRelease, note: ReleaseWhy, signal: AbortSignal): Promise<void> {
    const outcome = await this.#now.use(null, note, (device) => device.installStaged(staged.id, { signal }));
    this.#waiting = outcome === 'waiting' ? staged : null;
    if (outcome === 'switched') await this.#runActive();
  }

  /**
   * The line changes to the device's release between two frames. One that this station cannot run, whole and right on the
   * golden samples as it may be, is left again: the line runs the one before all the time.
   */
  async #runActive(): Promise<void> {
    const { active, trialStarts } = this.#now.state;
    this.#running = active?.id ?? null;
    try {
      await this.#setup.reload(await withRelease(await readStationFile(this.#setup.file.path)));
      this.#probation?.follow();
    } catch (error) {
      if (trialStarts !== null) {
        const { code, message } = KerfError.from(error, 'INTERNAL', messageOf(error));
        await this.#now.use(null, '', (device) => device.rollBack({ kind: 'cannot-run', code, message }));
        this.#running = this.#now.state.active?.id ?? null;
      }
      throw error;
    }
  }

  /** What others have done to the device, and a window that has opened. */
  async #watch(): Promise<void> {
    if (this.#jobs.job !== null) return;
    const { writes } = this.#now.state;
    await this.#now.refresh();
    this.#probation?.follow();
    const { active } = this.#now.state;
    if (this.#jobs.job !== null) return;
    if (active !== null && active.id !== this.#running) {
      this.#jobs.begin('apply', active.version, () => this.#runActive());
    } else if (this.#waiting !== null && isWindowOpen(this.#now.settings.window, new Date())) {
      const waiting = this.#waiting;
      this.#jobs.begin('apply', waiting.version, ({ signal }) =>
        this.#apply(waiting, { kind: 'window-opened' }, signal),
      );
    } else if (writes !== this.#now.state.writes) this.#telling.call();
  }

  /** It is ready when somebody wants it; nothing is switched. */
  async #fetchByItself(): Promise<void> {
    await this.#now.refresh();
    const { settings, state } = this.#now;
    if (this.#jobs.job !== null || !settings.automatic || state.trialStarts !== null) return;
    const wanted = { version: null, from: null, allowOlder: false };
    this.#jobs.begin('fetch', null, (progress) => this.#fetch(wanted, progress));
  }

  #every(ms: number, work: () => Promise<void>): void {
    const timer = setInterval(() => void work().catch(this.#setup.onFault), ms);
    timer.unref();
    this.#timers.push(timer);
  }
}

function said(by: string, note: string): string {
  return note === '' ? by : `${by}: ${note}`;
}
