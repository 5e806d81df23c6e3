// A device that checks in, with what it has -> what it should have; the sighting is written together with others.
import { KerfError } from '@kerf/protocol';
import type { RegistryContext } from '../context.ts';
import { type Decision, decide, type Subject } from '../rollout/decide.ts';
import { noteInstalled, offerRelease } from '../rollout/offers.ts';
import { type DevicePart, partsOfDevice, type Rollout, rolloutsWith } from '../rollout/rollouts.ts';
import { one, type Sql } from '../store/database.ts';
import { type DeviceModel, type DeviceRow, modelsOf } from './devices.ts';
import { tagsOf } from './tags.ts';

/** What a device says of itself. */
export interface CheckRequest {
  readonly agent: string | null;
  readonly provider: string | null;
  readonly cut: string | null;
  readonly health: Readonly<Record<string, unknown>> | null;
  readonly models: readonly { readonly name: string; readonly installed: string | null }[];
}

/** What one model of the device should be. */
export interface Wish {
  readonly name: string;
  /** Release id. */
  readonly release: string;
  readonly version: string;
  /** Where its manifest lies in the repository. */
  readonly manifestPath: string;
  readonly because: 'pinned' | 'rollout' | 'rolled-back' | 'assigned';
  readonly rollout: string | null;
}

export interface CheckAnswer {
  readonly wishes: readonly Wish[];
  readonly checkAfterSeconds: number;
}

export class CheckDesk {
  readonly #context: RegistryContext;
  readonly #seen = new Map<string, number>();
  #open: { readonly readAt: number; readonly rollouts: readonly Rollout[] } | null = null;

  constructor(context: RegistryContext) {
    this.#context = context;
  }

  async check(device: DeviceRow, request: CheckRequest): Promise<CheckAnswer> {
    const { database, limits, wallNowMs } = this.#context;
    this.#seen.set(device.id, wallNowMs());
    if (this.#seen.size > limits.maxUnwrittenSightings) await this.flush();
    await this.#noteChanges(device, request);
    const subject = { id: device.id, enrolledAt: device.enrolled_at, ...(await tagsOf(database, device.id)) };
    const models = new Map((await modelsOf(database, device.id)).map((model) => [model.name, model]));
    const parts = await partsOfDevice(database, device.id);
    const open = await this.#openRollouts();
    const names = [...new Set([...models.keys(), ...open.map(({ name }) => name)])].sort();
    const wishes: Wish[] = [];
    for (const name of names) {
      const isOfModel = (entry: { readonly name: string }): boolean => entry.name === name;
      const decision = await this.#settle(
        subject,
        models.get(name) ?? unknownModel(name),
        parts.filter(isOfModel),
        open.filter(isOfModel),
      );
      const { because, rolloutId, release } = decision;
      if (release === null || because === 'nothing') continue;
      wishes.push({ name, because, rollout: rolloutId, ...(await releaseOf(database, release)) });
    }
    return { wishes, checkAfterSeconds: limits.checkAfterSeconds };
  }

  /** Decides, and takes the place that the decision needs; where it went to another device meanwhile, decides again. */
  async #settle(
    subject: Subject,
    model: DeviceModel,
    parts: readonly DevicePart[],
    open: readonly Rollout[],
  ): Promise<Decision> {
    const decision = decide(subject, model, parts, open, this.#context.wallNowMs());
    if (decision.offer === null) return decision;
    const { rollout, stage } = decision.offer;
    if (await offerRelease(this.#context, rollout.id, stage, subject.id, model.installed)) return decision;
    const others = open.filter(({ id }) => id !== rollout.id);
    return this.#settle(subject, model, parts, others);
  }

  /** Writes the sightings that wait. */
  async flush(): Promise<void> {
    const sightings = [...this.#seen];
    this.#seen.clear();
    if (sightings.length === 0) return;
    await this.#context.database.transaction(async (sql) => {
      for (const [id, at] of sightings) await sql.all('UPDATE devices SET last_seen_at = $1 WHERE id = $2', [at, id]);
    });
  }

  /** Rollouts may have changed: read them again at the next check. */
  forget(): void {
    this.#open = null;
  }

  async #openRollouts(): Promise<readonly Rollout[]> {
    const { database, limits, wallNowMs } = this.#context;
    const nowMs = wallNowMs();
    if (this.#open !== null && Math.abs(nowMs - this.#open.readAt) < limits.rolloutsMaxAgeMs)
      return this.#open.rollouts;
    const all = await rolloutsWith(database, ['running', 'finished']);
    const perModel = new Map<string, number>();
    // Of a model with a long history only the latest count; a device that follows an older one has a part in it.
    const rollouts = all.filter(({ name }) => {
      const count = (perModel.get(name) ?? 0) + 1;
      perModel.set(name, count);
      return count <= limits.maxActiveRollouts;
    });
    this.#open = { readAt: nowMs, rollouts };
    return rollouts;
  }

  /** Most checks change nothing, and cost no commit. */
  async #noteChanges(device: DeviceRow, request: CheckRequest): Promise<void> {
    const { database, wallNowMs } = this.#context;
    const health = request.health === null ? null : JSON.stringify(request.health);
    const known = await modelsOf(database, device.id);
    const news = request.models.filter(
      ({ name, installed }) => known.find((model) => model.name === name)?.installed !== installed,
    );
    const isSame =
      device.agent === request.agent &&
      device.provider === request.provider &&
      device.cut === request.cut &&
      device.health === health;
    if (isSame && news.length === 0) return;
    const nowMs = wallNowMs();
    await database.transaction(async (sql) => {
      await sql.all('UPDATE devices SET agent = $1, provider = $2, cut = $3, health = $4 WHERE id = $5', [
        request.agent,
        request.provider,
        request.cut,
        health,
        device.id,
      ]);
      for (const { name, installed } of news) await writeInstalled(sql, device.id, name, installed, nowMs);
    });
    for (const { installed } of news) if (installed !== null) await noteInstalled(this.#context, device.id, installed);
  }
}

function unknownModel(name: string): DeviceModel {
  return { name, installed: null, assigned: null, pinned: null, reportedAt: null };
}

async function writeInstalled(
  sql: Sql,
  deviceId: string,
  name: string,
  installed: string | null,
  nowMs: number,
): Promise<void> {
  await sql.all(
    `INSERT INTO device_models (device_id, name, installed, reported_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (device_id, name) DO UPDATE SET installed = $3, reported_at = $4`,
    [deviceId, name, installed, nowMs],
  );
}

async function releaseOf(sql: Sql, id: string): Promise<Pick<Wish, 'release' | 'version' | 'manifestPath'>> {
  const row = await one<{ version: string; manifest_path: string }>(
    sql,
    'SELECT version, manifest_path FROM releases WHERE id = $1',
    [id],
  );
  if (row === null) throw new KerfError('INTERNAL', `release ${id} is wanted but not there`);
  return { release: id, version: row.version, manifestPath: row.manifest_path };
}
