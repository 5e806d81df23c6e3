// A device's folder -> what lies in it now, and work on it, after which that is read again.
import { Device, type DeviceState, type ReleaseWhy } from '@kerf/delta-sync';
import { type DeviceSettings, deviceOptions, readSettings, writeSettings } from './device-folder.ts';

/** A release by its id (hex SHA-256 of the manifest) and its version. */
export interface NamedRelease {
  readonly id: string;
  readonly version: string;
}

export class DeviceNow {
  readonly folder: string;
  settings: DeviceSettings;
  state: DeviceState;
  /** Whole in the other slot, and not what a roll-back returns to. */
  staged: NamedRelease | null = null;

  private constructor(folder: string, settings: DeviceSettings, state: DeviceState) {
    this.folder = folder;
    this.settings = settings;
    this.state = state;
  }

  /** @throws {KerfError} FILE_NOT_FOUND, INVALID_ARGUMENT, STATE_DAMAGED. */
  static async open(folder: string): Promise<DeviceNow> {
    const { state } = await Device.open(await deviceOptions(folder, [], () => {}));
    const now = new DeviceNow(folder, await readSettings(folder), state);
    await now.refresh();
    return now;
  }

  /** Others may have worked on it: `kerf update`, `kerf devices follow`. */
  async refresh(): Promise<void> {
    const device = await Device.open(await deviceOptions(this.folder, [], () => {}));
    const staged = await device.staged();
    this.settings = await readSettings(this.folder);
    this.state = device.state;
    this.staged = staged === null ? null : { id: staged.id, version: staged.manifest.version };
  }

  /**
   * @param from a folder or an address instead of the device's mirrors; null: those
   * @param note who and why, for the history
   */
  async use<T>(from: string | null, note: ReleaseWhy, work: (device: Device) => Promise<T>): Promise<T> {
    const device = await Device.open(await deviceOptions(this.folder, from === null ? [] : [from], () => {}, { note }));
    try {
      return await work(device);
    } finally {
      await this.refresh();
    }
  }

  async change(part: Partial<DeviceSettings>): Promise<void> {
    await writeSettings(this.folder, { ...(await readSettings(this.folder)), ...part });
    await this.refresh();
  }
}
