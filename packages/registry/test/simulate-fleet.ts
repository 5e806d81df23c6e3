// A fleet of simulated devices against the registry's own desk, rollouts and database, in virtual time: what a bad release reaches.
import { seededRandom } from '@kerf/protocol';
import { CheckDesk } from '../src/fleet/check.ts';
import { deviceRow } from '../src/fleet/devices.ts';
import { inFlight } from '../src/rollout/machine.ts';
import { reportOutcome, tickRollouts } from '../src/rollout/offers.ts';
import { readRollout } from '../src/rollout/rollouts.ts';
import type { RolloutRequest } from '../src/rollout/spec.ts';
import { createRollout } from '../src/rollout/steer.ts';
import { StageTotals } from '../src/rollout/totals.ts';
import type { Database } from '../src/store/database.ts';
import { migrate } from '../src/store/migrations.ts';
import { putRelease, type TestClock, testContext } from './registry-place.ts';

export interface FleetOptions {
  readonly devices: number;
  /** Share of the devices on which the release fails. */
  readonly badShare: number;
  readonly stages: RolloutRequest['stages'];
  readonly maxInFlight: number;
  readonly seed: number;
}

export interface FleetResult {
  readonly status: string;
  readonly reason: string | null;
  /** Devices of the first group. */
  readonly firstGroup: number;
  /** Stages that were opened. */
  readonly openStages: number;
  /** Devices that were offered the release, ever. */
  readonly offered: number;
  readonly failed: number;
  /** In flight when it stopped. */
  readonly inFlightAtStop: number;
  /** Offered after it had stopped: none, or it did not stop. */
  readonly offeredAfterStop: number;
  readonly checks: number;
  /** Of real time, for one check-in. */
  readonly checkMs: number;
}

/** Every device checks in once in so many virtual seconds. */
const CYCLE_SECONDS = 300;
const INSTALL_SECONDS = [60, 180] as const;

/** Runs until the rollout has stopped or finished, nothing is being installed, and everyone has checked in once more. */
export async function simulateFleet(database: Database, options: FleetOptions): Promise<FleetResult> {
  const fleet = new SimulatedFleet(database, options);
  await fleet.prepare();
  return fleet.run();
}

class SimulatedFleet {
  readonly #database: Database;
  readonly #options: FleetOptions;
  readonly #clock: TestClock = { nowMs: 1_700_000_000_000 };
  readonly #context: ReturnType<typeof testContext>;
  readonly #desk: CheckDesk;
  readonly #totals = new StageTotals();
  readonly #random: () => number;
  readonly #installed: string[] = [];
  /** Devices by the second of the cycle in which they check in. */
  readonly #byTurn: number[][] = Array.from({ length: CYCLE_SECONDS }, () => []);
  readonly #endsAt = new Map<number, number[]>();
  readonly #installing = new Set<number>();
  #old = '';
  #bad = '';
  #rollout = '';
  #checks = 0;
  #spentMs = 0;

  constructor(database: Database, options: FleetOptions) {
    this.#database = database;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#context = testContext(database, this.#clock, { maxUnwrittenSightings: 1_000_000 });
    this.#desk = new CheckDesk(this.#context);
  }

  async prepare(): Promise<void> {
    const { devices, stages, maxInFlight } = this.#options;
    await migrate(this.#database);
    this.#old = await putRelease(this.#database, 'surface', '1');
    this.#bad = await putRelease(this.#database, 'surface', '2');
    await this.#database.transaction(async (sql) => {
      for (let at = 0; at < devices; at++) {
        await sql.all("INSERT INTO devices (id, credential_sha256, retired, enrolled_at) VALUES ($1, 'x', 0, 0)", [
          `d${at}`,
        ]);
        await sql.all("INSERT INTO device_models (device_id, name, installed) VALUES ($1, 'surface', $2)", [
          `d${at}`,
          this.#old,
        ]);
        this.#installed.push(this.#old);
        this.#byTurn[Math.floor(this.#random() * CYCLE_SECONDS)]?.push(at);
      }
    });
    const request: RolloutRequest = {
      stages,
      needsApproval: false,
      maxInFlight,
      errors: { share: 0.05, minimumEnded: 10 },
    };
    this.#rollout = (await createRollout(this.#context, 'bench', this.#bad, request)).id;
  }

  async run(): Promise<FleetResult> {
    let stoppedAt: number | null = null;
    let atStop = { offered: 0, inFlight: 0 };
    for (let second = 0; ; second++) {
      this.#clock.nowMs += 1000;
      if (second % 5 === 0) {
        await tickRollouts(this.#context, this.#totals);
        this.#desk.forget();
      }
      await this.#endInstallations(second);
      const { state } = await readRollout(this.#database, this.#rollout);
      if (stoppedAt === null && (state.status === 'stopped' || state.status === 'finished')) {
        stoppedAt = second;
        atStop = { offered: offeredOf(state), inFlight: inFlight(state) };
      }
      for (const device of this.#byTurn[second % CYCLE_SECONDS] ?? []) await this.#check(device, second);
      if (stoppedAt !== null && second > stoppedAt + CYCLE_SECONDS && this.#installing.size === 0) break;
    }
    const rollout = await readRollout(this.#database, this.#rollout);
    const { status, reason, stages, stage } = rollout.state;
    const [firstGroup = 0] = await this.#totals.of(this.#database, rollout);
    return {
      status,
      reason,
      firstGroup,
      openStages: stage + 1,
      offered: offeredOf(rollout.state),
      failed: stages.reduce((sum, { failed }) => sum + failed, 0),
      inFlightAtStop: atStop.inFlight,
      offeredAfterStop: offeredOf(rollout.state) - atStop.offered,
      checks: this.#checks,
      checkMs: this.#spentMs / this.#checks,
    };
  }

  async #check(device: number, second: number): Promise<void> {
    const row = await deviceRow(this.#database, `d${device}`);
    if (row === null) throw new Error('a device is gone');
    const startedMs = performance.now();
    const { wishes } = await this.#desk.check(row, {
      agent: null,
      provider: null,
      cut: null,
      health: null,
      models: [{ name: 'surface', installed: this.#installed[device] ?? null }],
    });
    this.#spentMs += performance.now() - startedMs;
    this.#checks += 1;
    const wish = wishes[0]?.release;
    if (wish !== this.#bad || this.#installed[device] === this.#bad || this.#installing.has(device)) return;
    const [least, most] = INSTALL_SECONDS;
    const end = second + Math.floor(least + this.#random() * (most - least));
    this.#installing.add(device);
    this.#endsAt.set(end, [...(this.#endsAt.get(end) ?? []), device]);
  }

  async #endInstallations(second: number): Promise<void> {
    for (const device of this.#endsAt.get(second) ?? []) {
      const isBad = this.#random() < this.#options.badShare;
      if (!isBad) this.#installed[device] = this.#bad;
      this.#installing.delete(device);
      await reportOutcome(this.#context, `d${device}`, {
        release: this.#bad,
        outcome: isBad ? 'failed' : 'succeeded',
        reason: isBad ? 'golden samples differ' : null,
      });
      this.#desk.forget();
    }
    this.#endsAt.delete(second);
  }
}

function offeredOf({ stages }: { readonly stages: readonly { readonly offered: number }[] }): number {
  return stages.reduce((sum, { offered }) => sum + offered, 0);
}
