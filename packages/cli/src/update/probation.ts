// A device whose release is on probation, and the pictures of its line -> a shadow run for as long as the probation lasts.
import { type HealthVerdict, type Installed, parseReleaseManifest, RELEASE_MARK } from '@kerf/delta-sync';
import { folderStorage } from '@kerf/delta-sync/node';
import type { DeliveredPicture } from '@kerf/edge-runtime';
import { readStationFile, type StationFile } from '@kerf/edge-runtime/node';
import type { KerfError } from '@kerf/protocol';
import { noteHealth } from './device-facts.ts';
import type { DeviceNow } from './device-now.ts';
import { ShadowRun } from './shadow-run.ts';
import { withSlot } from './station-release.ts';

export interface ProbationSetup {
  /** Path of the station file, which is read anew for each release. */
  readonly path: string;
  readonly now: DeviceNow;
  readonly every: number;
  readonly frames: number;
  /** The release is still the one on probation. Called again with each {@link Probation.follow} until it is not. */
  readonly onVerdict: (verdict: HealthVerdict) => void;
  readonly onFault: (error: unknown) => void;
}

export class Probation {
  readonly #setup: ProbationSetup;
  #run: { readonly id: string; readonly shadow: ShadowRun } | null = null;
  /** What was found, until somebody has acted on it. */
  #verdict: { readonly id: string; readonly verdict: HealthVerdict } | null = null;
  #changing: Promise<void> = Promise.resolve();

  constructor(setup: ProbationSetup) {
    this.#setup = setup;
  }

  /** To be called when the device's state may be another one. */
  follow(): void {
    this.#changing = this.#changing.then(() => this.#change()).catch(this.#setup.onFault);
  }

  offer(picture: DeliveredPicture): void {
    this.#run?.shadow.offer(picture);
  }

  async close(): Promise<void> {
    await this.#changing;
    await this.#end();
  }

  async #change(): Promise<void> {
    const { active, previous, trialStarts } = this.#setup.now.state;
    const wanted = trialStarts === null || previous === null ? null : (active?.id ?? null);
    if (wanted === (this.#run?.id ?? null)) {
      if (wanted !== null && this.#verdict?.id === wanted) this.#setup.onVerdict(this.#verdict.verdict);
      return;
    }
    this.#verdict = null;
    await this.#end();
    if (wanted === null || active === null || previous === null) return;
    const file = await readStationFile(this.#setup.path);
    const shadow = new ShadowRun({
      before: await this.#fileOf(file, previous),
      fresh: await this.#fileOf(file, active),
      every: this.#setup.every,
      frames: this.#setup.frames,
      onVerdict: (verdict) => void this.#decided(active, verdict),
      onFault: (error) => void this.#failed(active, error),
    });
    this.#run = { id: active.id, shadow };
  }

  async #fileOf(file: StationFile, { slot }: Installed): Promise<StationFile> {
    const { folder } = this.#setup.now;
    const { slots } = await folderStorage(folder);
    return withSlot(file, folder, slot, parseReleaseManifest(await slots[slot].read(RELEASE_MARK)));
  }

  async #decided({ id, version }: Installed, verdict: HealthVerdict): Promise<void> {
    const { now, onFault } = this.#setup;
    try {
      await noteHealth(now.folder, { gate: { version, decision: verdict.decision, reason: verdict.reason } });
      await now.refresh();
      this.#verdict = { id, verdict };
      this.follow();
    } catch (error) {
      onFault(error);
    }
  }

  /** It cannot be told here, such as where the device holds only the head: people decide, as without a shadow run. */
  async #failed({ version }: Installed, error: KerfError): Promise<void> {
    const gate = { version, decision: 'unknown', reason: error.message };
    await noteHealth(this.#setup.now.folder, { gate }).catch(this.#setup.onFault);
    this.#setup.onFault(error);
  }

  async #end(): Promise<void> {
    const run = this.#run;
    this.#run = null;
    await run?.shadow.close();
  }
}
