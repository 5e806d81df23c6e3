// A device: what it runs, and what the repository has -> the newest release that it can run, or the one that it had.
import { KerfError } from '@kerf/protocol';
import { filesOfSide, type ReleaseManifest } from '../release/release-manifest.ts';
import { isWindowOpen, requireTail, runGolden } from './before-switch.ts';
import { type PlannedFile, planFetch } from './choose-way.ts';
import type { DeviceDisk } from './device-disk.ts';
import type { DeviceOptions, Staged, UpdateOptions, UpdateOutcome } from './device-options.ts';
import { type DeviceState, type Installed, readState, type SlotIndex, writeState } from './device-state.ts';
import type { Candidate } from './fetch-candidate.ts';
import type { GoldenReport } from './golden-check.ts';
import { whyFailed } from './golden-failed.ts';
import { findCandidate, newestCandidates } from './look-for-release.ts';
import { DEFAULT_DEVICE_LIMITS, type DeviceLimits, MAX_REASON_CHARS } from './options.ts';
import { causeOf, type ReleaseWhy, releaseReason } from './release-cause.ts';
import { installedBase, type Staging, stageCandidate } from './stage-candidate.ts';
import { checkSlot, readMark } from './stage-release.ts';

/**
 * check -> fetch -> verify -> stage -> golden -> switch, then on probation: confirm or roll back. Every step can be cut off
 * by a power failure; the next one goes on from what is there. One call at a time.
 */
export class Device {
  readonly #options: DeviceOptions;
  readonly #limits: DeviceLimits;
  #state: DeviceState;

  private constructor(options: DeviceOptions, state: DeviceState) {
    this.#options = options;
    this.#limits = { ...DEFAULT_DEVICE_LIMITS, ...options.limits };
    this.#state = state;
  }

  /**
   * Once at every start of the device: counts the starts on probation, and goes back from a release that never gets
   * through them.
   * @throws {KerfError} STATE_DAMAGED.
   */
  static async start(options: DeviceOptions): Promise<Device> {
    const device = new Device(options, await readState(options.storage.state));
    const { trialStarts } = device.#state;
    if (trialStarts === null) return device;
    if (trialStarts >= device.#limits.trialStarts) {
      await device.rollBack({ kind: 'never-proved', starts: trialStarts });
    } else await device.#write({ trialStarts: trialStarts + 1 });
    return device;
  }

  /** Without counting a start: to look, or to go on with an update from outside of the station. */
  static async open(options: DeviceOptions): Promise<Device> {
    return new Device(options, await readState(options.storage.state));
  }

  get state(): DeviceState {
    return this.#state;
  }

  /** The slot to run; null on a device without a release. */
  get activeSlot(): DeviceDisk | null {
    const { active } = this.#state;
    return active === null ? null : this.#options.storage.slots[active.slot];
  }

  /** The manifest of the release in the active slot. @throws {KerfError} CONTENT_MISMATCH when a file is not as signed for. */
  async verifyActive(): Promise<ReleaseManifest | null> {
    const { active } = this.#state;
    return active === null ? null : await this.#checkSlot(active);
  }

  /** What to install; null when there is nothing newer, or what is newer failed here before. @throws as {@link findCandidate}. */
  check(wanted: UpdateOptions = {}): Promise<Candidate | null> {
    return findCandidate(this.#options, this.#state, wanted);
  }

  /** The newest releases of the model, the newest first. @throws as {@link newestCandidates}. */
  releases(most: number): Promise<readonly Candidate[]> {
    return newestCandidates(this.#options, most);
  }

  /** What of a candidate would be fetched, and how. What a broken-off attempt has left is not looked at. */
  async plan({ manifest }: Candidate): Promise<readonly PlannedFile[]> {
    return planFetch(filesOfSide(manifest, this.#options.side), (await installedBase(this.#staging()))?.files ?? []);
  }

  /** The whole release that waits in the inactive slot; null when there is none, or it is the one to go back to. */
  async staged(): Promise<Staged | null> {
    const { active, previous } = this.#state;
    const slot = otherSlot(active);
    if (previous !== null) return null;
    const found = await readMark(this.#options.storage.slots[slot]);
    return found === null ? null : { slot, ...found };
  }

  /**
   * Fetches and checks a candidate in the inactive slot and runs its golden samples, without switching. What lay in that slot,
   * the release before included, is gone.
   * @returns what the golden samples gave; null for a release without them.
   * @throws {KerfError} what {@link install} throws before it switches.
   */
  async stage(candidate: Candidate, { signal }: UpdateOptions = {}): Promise<GoldenReport | null> {
    this.#requireNoTrial();
    const slot = otherSlot(this.#state.active);
    await this.#stage(candidate, slot, signal);
    return await this.#runGolden({ slot, id: candidate.release.sha256, manifest: candidate.manifest }, signal);
  }

  /**
   * Fetches and checks a candidate in the inactive slot, and switches to it.
   * @throws {KerfError} GOLDEN_FAILED, after which the release is not tried again by itself; what fetching throws, after which
   *   the next call goes on; MODEL_NOT_FOUND when the cloud has no tail for it.
   */
  async install(candidate: Candidate, { signal }: UpdateOptions = {}): Promise<UpdateOutcome> {
    this.#requireNoTrial();
    const slot = otherSlot(this.#state.active);
    await this.#stage(candidate, slot, signal);
    return await this.#switchTo({ slot, id: candidate.release.sha256, manifest: candidate.manifest }, signal);
  }

  /**
   * Switches to what {@link staged} has said, without a mirror: every file of it is read and hashed again.
   * @param id of the release that is meant
   * @throws {KerfError} CONTENT_MISMATCH when the slot holds something else, and as {@link install}.
   */
  async installStaged(id: string, { signal }: UpdateOptions = {}): Promise<UpdateOutcome> {
    this.#requireNoTrial();
    const slot = otherSlot(this.#state.active);
    const { storage, side, makeHasher } = this.#options;
    const manifest = await checkSlot({ slot: storage.slots[slot], side, makeHasher, id });
    return await this.#switchTo({ slot, id, manifest }, signal);
  }

  /** {@link check}, then {@link install}. */
  async update(options: UpdateOptions = {}): Promise<UpdateOutcome> {
    const candidate = await this.check(options);
    return candidate === null ? 'current' : await this.install(candidate, options);
  }

  /** The release on probation has proved itself, whatever was held against it before. */
  async confirm(): Promise<void> {
    const { active, trialStarts, floor, rejected } = this.#state;
    if (active === null || trialStarts === null) return;
    await this.#write({
      trialStarts: null,
      floor: Math.max(floor, active.sequence),
      rejected: rejected.filter(({ id }) => id !== active.id),
    });
    this.#options.onEvent?.({ kind: 'confirmed', version: active.version });
  }

  /**
   * Back to the release before, which is checked first; the one that is left is not tried again by itself.
   * @throws {KerfError} RELEASE_NOT_FOUND when there is none; CONTENT_MISMATCH when the disk has changed it.
   */
  async rollBack(why: ReleaseWhy): Promise<void> {
    const { active, previous } = this.#state;
    if (active === null || previous === null) {
      throw new KerfError('RELEASE_NOT_FOUND', 'this device holds no release before the one that it runs');
    }
    await this.#checkSlot(previous);
    const rejected = this.#rejectedWith(active, why);
    await this.#write({ active: previous, previous: null, trialStarts: null, rejected });
    const said = { reason: releaseReason(why), ...causeOf(why) };
    this.#options.onEvent?.({ kind: 'rolledBack', version: previous.version, ...said });
  }

  /** A release that failed here, such as on known parts: it is not taken by itself. */
  async reject(release: Pick<Installed, 'id' | 'version'>, why: ReleaseWhy): Promise<void> {
    await this.#write({ rejected: this.#rejectedWith(release, why) });
  }

  async #switchTo(staged: Staged, signal: AbortSignal | undefined): Promise<UpdateOutcome> {
    const { proved } = this.#state;
    // What waits for its window or its tail is not run at every look.
    if (proved?.id !== staged.id || proved.on !== placeOf(this.#options)) await this.#runGolden(staged, signal);
    await requireTail(this.#options, staged);
    if (!isWindowOpen(this.#options)) return 'waiting';
    const { active } = this.#state;
    const installed = installedOf(staged);
    await this.#write({ active: installed, previous: active, trialStarts: active === null ? null : 0, proved: null });
    this.#options.onEvent?.({ kind: 'switched', version: installed.version });
    // The first release of a device has nothing to go back to.
    if (active === null) await this.#write({ floor: installed.sequence });
    return 'switched';
  }

  #requireNoTrial(): void {
    if (this.#state.trialStarts === null) return;
    throw new KerfError(
      'INVALID_ARGUMENT',
      'a release is on probation: it is confirmed or rolled back before another comes',
    );
  }

  async #stage(candidate: Candidate, slot: SlotIndex, signal: AbortSignal | undefined): Promise<void> {
    const { previous } = this.#state;
    // From now on there is no way back to what lies in that slot.
    if (previous !== null && previous.slot === slot) await this.#write({ previous: null });
    await stageCandidate(this.#staging(), candidate, slot, signal);
  }

  #staging(): Staging {
    return { options: this.#options, limits: this.#limits, active: this.#state.active };
  }

  async #runGolden(staged: Staged, signal: AbortSignal | undefined): Promise<GoldenReport | null> {
    try {
      const report = await runGolden(this.#options, staged, signal);
      if (report !== null) await this.#write({ proved: { id: staged.id, on: placeOf(this.#options) } });
      return report;
    } catch (error) {
      if (KerfError.is(error) && error.code === 'GOLDEN_FAILED') {
        await this.reject({ id: staged.id, version: staged.manifest.version }, whyFailed(error));
      }
      throw error;
    }
  }

  #rejectedWith({ id, version }: Pick<Installed, 'id' | 'version'>, why: ReleaseWhy): DeviceState['rejected'] {
    const others = this.#state.rejected.filter((one) => one.id !== id);
    return [...others, { id, version, reason: releaseReason(why).slice(0, MAX_REASON_CHARS), ...causeOf(why) }];
  }

  async #checkSlot({ slot, id }: Installed): Promise<ReleaseManifest> {
    const { storage, side, makeHasher } = this.#options;
    return await checkSlot({ slot: storage.slots[slot], side, makeHasher, id });
  }

  async #write(change: Parameters<typeof writeState>[2]): Promise<void> {
    this.#state = await writeState(this.#options.storage.state, this.#state, change);
  }
}

function otherSlot(active: Installed | null): SlotIndex {
  return active?.slot === 0 ? 1 : 0;
}

/** Where golden samples run: what they gave there holds until one of these is another. */
function placeOf({ provider = '', versions }: DeviceOptions): string {
  return `${provider} onnxruntime ${versions.onnxruntime} kerf ${versions.kerf}`.trim();
}

function installedOf({ slot, id, manifest: { name, version, sequence } }: Staged): Installed {
  return { slot, id, name, version, sequence };
}
