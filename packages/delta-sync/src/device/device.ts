// A device: what it runs, and what the repository has -> the newest release that it can run, or the one that it had.
import { KerfError } from '@kerf/protocol';
import { filesOfSide, type ReleaseManifest } from '../release/release-manifest.ts';
import { type TrustedRelease, updateTrust } from '../trust/update-trust.ts';
import { checkRuntime, isPaired } from './check-runtime.ts';
import { type PlannedFile, planFetch } from './choose-way.ts';
import type { DeviceDisk } from './device-disk.ts';
import type { DeviceOptions, Staged, UpdateOptions, UpdateOutcome } from './device-options.ts';
import { type DeviceState, type Installed, readState, type SlotIndex, writeState } from './device-state.ts';
import { diskStore } from './disk-store.ts';
import { type Candidate, fetchCandidate } from './fetch-candidate.ts';
import type { GoldenReport } from './golden-check.ts';
import { isInWindow } from './maintenance-window.ts';
import { DEFAULT_DEVICE_LIMITS, type DeviceLimits } from './options.ts';
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
      await device.rollBack(`it was started ${trialStarts} times and never proved itself`);
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

  /**
   * What to install; null when there is nothing newer, or what is newer failed here before.
   * @throws {KerfError} what {@link updateTrust} throws; RELEASE_NOT_FOUND, ROLLBACK_REFUSED, RUNTIME_TOO_OLD; CONFLICT for
   *   another version than the device is pinned to.
   */
  async check({ version: asked = null, allowOlder = false }: UpdateOptions = {}): Promise<Candidate | null> {
    const { mirrors, name, versions, onEvent, pinned = null } = this.#options;
    if (asked !== null && pinned !== null && asked !== pinned) {
      throw new KerfError('CONFLICT', `this device is pinned to ${pinned}: take the pin away to install ${asked}`);
    }
    const version = asked ?? pinned;
    const releases = await this.#trusted();
    const { active, rejected, floor } = this.#state;
    const release = version === null ? releases.at(-1) : releases.find((one) => one.version === version);
    onEvent?.({ kind: 'checked', newest: releases.at(-1)?.version ?? null });
    if (release === undefined) {
      if (version === null) return null;
      const known = releases.map((one) => one.version).join(', ');
      throw new KerfError('RELEASE_NOT_FOUND', `${name} has no version ${version}; it has ${known || 'none'}`);
    }
    if (release.sha256 === active?.id) return null;
    if (version === null && rejected.some(({ id }) => id === release.sha256)) return null;
    const candidate = await fetchCandidate(mirrors, name, release);
    const { manifest } = candidate;
    if (manifest.sequence < Math.max(floor, active?.sequence ?? 0)) {
      if (version === null) return null;
      if (!allowOlder) {
        throw new KerfError(
          'ROLLBACK_REFUSED',
          `${name} ${manifest.version} is older than what this device has run: say so if that is meant`,
        );
      }
    }
    checkRuntime(manifest, versions);
    return candidate;
  }

  /**
   * The newest releases of the model, whatever has become of them here, the newest first.
   * @throws {KerfError} what {@link check} throws for metadata and manifests.
   */
  async releases(most: number): Promise<readonly Candidate[]> {
    const { mirrors, name } = this.#options;
    const trusted = (await this.#trusted()).slice(-most).reverse();
    const found: Candidate[] = [];
    for (const release of trusted) found.push(await fetchCandidate(mirrors, name, release));
    return found;
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
    return await this.#runGolden({ slot, id: candidate.release.sha256, manifest: candidate.manifest });
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
    return await this.#switchTo({ slot, id: candidate.release.sha256, manifest: candidate.manifest });
  }

  /**
   * Switches to what {@link staged} has said, without a mirror: every file of it is read and hashed again.
   * @param id of the release that is meant
   * @throws {KerfError} CONTENT_MISMATCH when the slot holds something else, and as {@link install}.
   */
  async installStaged(id: string): Promise<UpdateOutcome> {
    this.#requireNoTrial();
    const slot = otherSlot(this.#state.active);
    const { storage, side, makeHasher } = this.#options;
    const manifest = await checkSlot({ slot: storage.slots[slot], side, makeHasher, id });
    return await this.#switchTo({ slot, id, manifest });
  }

  /** {@link check}, then {@link install}. */
  async update(options: UpdateOptions = {}): Promise<UpdateOutcome> {
    const candidate = await this.check(options);
    return candidate === null ? 'current' : await this.install(candidate, options);
  }

  /** The release on probation has proved itself. */
  async confirm(): Promise<void> {
    const { active, trialStarts, floor } = this.#state;
    if (active === null || trialStarts === null) return;
    await this.#write({ trialStarts: null, floor: Math.max(floor, active.sequence) });
    this.#options.onEvent?.({ kind: 'confirmed', version: active.version });
  }

  /**
   * Back to the release before, which is checked first; the one that is left is not tried again by itself.
   * @throws {KerfError} RELEASE_NOT_FOUND when there is none; CONTENT_MISMATCH when the disk has changed it.
   */
  async rollBack(reason: string): Promise<void> {
    const { active, previous, rejected } = this.#state;
    if (active === null || previous === null) {
      throw new KerfError('RELEASE_NOT_FOUND', 'this device holds no release before the one that it runs');
    }
    await this.#checkSlot(previous);
    const left = { id: active.id, version: active.version, reason };
    await this.#write({ active: previous, previous: null, trialStarts: null, rejected: [...rejected, left] });
    this.#options.onEvent?.({ kind: 'rolledBack', version: previous.version, reason });
  }

  async #switchTo(staged: Staged): Promise<UpdateOutcome> {
    await this.#runGolden(staged);
    await this.#requireTail(staged);
    if (!this.#mayWork()) return 'waiting';
    const { active } = this.#state;
    const installed = installedOf(staged);
    await this.#write({ active: installed, previous: active, trialStarts: active === null ? null : 0 });
    this.#options.onEvent?.({ kind: 'switched', version: installed.version });
    // The first release of a device has nothing to go back to.
    if (active === null) await this.#write({ floor: installed.sequence });
    return 'switched';
  }

  async #trusted(): Promise<TrustedRelease[]> {
    const { mirrors, name, storage, wallClockMs } = this.#options;
    const nowMs = wallClockMs();
    let releases: TrustedRelease[] = [];
    await mirrors.trust(async (source) => {
      const repository = await updateTrust({ source, store: diskStore(storage.state), nowMs });
      releases = await repository.releases(name);
      return repository;
    });
    return releases;
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

  async #runGolden({ manifest, id, slot }: Staged): Promise<GoldenReport | null> {
    const { golden, side, onEvent } = this.#options;
    const claimed = manifest.golden?.file ?? null;
    // A side that has not the model has not its samples either.
    if (claimed === null || !filesOfSide(manifest, side).some(({ name }) => name === claimed)) return null;
    try {
      if (golden === undefined)
        throw new KerfError('GOLDEN_FAILED', 'this device has no runtime to run golden samples with');
      const report = await golden(slot, manifest);
      if (report !== null) onEvent?.({ kind: 'golden', report });
      return report;
    } catch (error) {
      if (KerfError.is(error) && error.code === 'GOLDEN_FAILED') {
        const left = { id, version: manifest.version, reason: error.message.slice(0, 500) };
        await this.#write({ rejected: [...this.#state.rejected.filter((one) => one.id !== id), left] });
      }
      throw error;
    }
  }

  /** @throws {KerfError} MODEL_NOT_FOUND. */
  async #requireTail({ manifest }: Staged): Promise<void> {
    const pairs = (await this.#options.cloudPairs?.()) ?? null;
    if (pairs === null || manifest.pair === null || pairs.some((pair) => isPaired(manifest, { pair }))) return;
    throw new KerfError(
      'MODEL_NOT_FOUND',
      `the cloud has no tail for ${manifest.name} ${manifest.version} yet: publish it there first; the installed release runs on`,
    );
  }

  #mayWork(): boolean {
    const { window = null, wallClockMs } = this.#options;
    if (window === null) return true;
    const now = new Date(wallClockMs());
    return isInWindow(window, { day: now.getDay(), minute: now.getHours() * 60 + now.getMinutes() });
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

function installedOf({ slot, id, manifest: { name, version, sequence } }: Staged): Installed {
  return { slot, id, name, version, sequence };
}
