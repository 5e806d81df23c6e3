// A registry that a station file names -> its rollouts and devices as screens show them. The token stays here.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type CallParams,
  type FleetDevices,
  type FleetView,
  ROLLOUT_ACTIONS,
  type RolloutStageView,
  type RolloutView,
} from '@kerf/bridge';
import type { StationFile } from '@kerf/edge-runtime/node';
import { operatorActions, RegistryClient, type Rollout } from '@kerf/registry';
import { refused } from '../refusal.ts';
import { releaseNames } from '../registry/releases.ts';
import { membersText } from '../registry/stages.ts';

/** Rollouts that are shown, newest first. */
const ROLLOUTS = 20;
/** A device that has checked in since is in touch. */
const IN_TOUCH_MS = 3_600_000;

type ShownRollout = Rollout & { readonly totals: readonly number[] };
type NameOf = (id: string | null) => string;
type RegistryConfig = NonNullable<NonNullable<StationFile['config']['updates']>['registry']>;

interface FleetCounts {
  readonly devices: number;
  readonly seen: number;
  readonly installed: readonly { readonly release: string | null; readonly devices: number }[];
}

export class FleetDesk {
  readonly #registry: RegistryConfig | null;
  readonly #folder: string;

  constructor({ config, folder }: StationFile) {
    this.#registry = config.updates?.registry ?? null;
    this.#folder = folder;
  }

  /** @throws {KerfError} CONFIG_INVALID without a registry; what the registry says. */
  async view(): Promise<FleetView> {
    const client = await this.#client();
    const nameOf = await releaseNames(client);
    const page = await client.json<{ rollouts: ShownRollout[] }>('GET', `/v1/rollouts?limit=${ROLLOUTS}`);
    const counts = await client.json<FleetCounts>('GET', `/v1/fleet?seenSince=${Date.now() - IN_TOUCH_MS}`);
    return {
      registry: this.#config.url,
      devices: devicesOf(counts, nameOf),
      rollouts: page.rollouts.map((rollout) => rolloutOf(rollout, nameOf)),
    };
  }

  /**
   * The registry writes down whose token it was; the reason says who stood at the station.
   * @throws {KerfError} CONFLICT when the rollout has moved on; FORBIDDEN when the token may not.
   */
  async steer({ rollout, action, reason }: CallParams<'fleet.steer'>, by: string): Promise<FleetView> {
    const client = await this.#client();
    const target = `/v1/rollouts/${encodeURIComponent(rollout)}`;
    const way = action === 'approve' || action === 'reject' ? 'approval' : 'actions';
    await client.json('POST', `${target}/${way}`, { action, reason: `${by}: ${reason}` });
    return this.view();
  }

  get #config(): RegistryConfig {
    if (this.#registry !== null) return this.#registry;
    throw refused({ kind: 'no-registry' });
  }

  /** Read at each call: tokens are replaced while the station runs. */
  async #client(): Promise<RegistryClient> {
    const { url, tokenFile, ca } = this.#config;
    return new RegistryClient({
      url,
      credential: (await this.#read(tokenFile)).trim(),
      ...(ca === null ? {} : { ca: await this.#read(ca) }),
      idleTimeoutMs: 10_000,
    });
  }

  async #read(path: string): Promise<string> {
    return readFile(resolve(this.#folder, path), 'utf8').catch((cause: unknown) => {
      throw refused({ kind: 'file-unreadable', file: path }, cause);
    });
  }
}

function devicesOf({ devices, seen, installed }: FleetCounts, nameOf: NameOf): FleetDevices {
  return {
    all: devices,
    seen,
    versions: installed.map((one) => ({ release: nameOf(one.release), devices: one.devices })),
  };
}

function rolloutOf(
  { id, release, spec, state, totals, createdBy, createdAt }: ShownRollout,
  nameOf: NameOf,
): RolloutView {
  const allowed = operatorActions(state.status);
  return {
    id,
    release: nameOf(release),
    status: state.status,
    reason: state.reason,
    cause: state.cause ?? null,
    stage: state.stage,
    stages: spec.stages.map(
      (stage, at): RolloutStageView => ({
        members: membersText(stage.members),
        devices: totals[at] ?? 0,
        offered: state.stages[at]?.offered ?? 0,
        succeeded: state.stages[at]?.succeeded ?? 0,
        failed: state.stages[at]?.failed ?? 0,
        successShare: stage.successShare,
        soakMs: stage.soakMs,
        pauseAfter: stage.pauseAfter,
      }),
    ),
    errors: spec.errors,
    maxInFlight: spec.maxInFlight,
    onStop: spec.onStop,
    createdBy,
    createdAt: new Date(createdAt).toISOString(),
    approvedBy: state.approvedBy,
    actions: ROLLOUT_ACTIONS.filter((action) => allowed.includes(action)),
  };
}
