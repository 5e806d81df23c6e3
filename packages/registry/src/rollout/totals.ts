// The fleet and a rollout -> how many devices each stage has; counted anew when the fleet has changed.
import { fleetRevision } from '../fleet/tags.ts';
import type { Sql } from '../store/database.ts';
import { stageOf } from './assign.ts';
import type { Rollout } from './rollouts.ts';

/** Rollouts whose counts are kept. */
const MAX_KEPT = 256;

interface FleetRow {
  readonly id: string;
  readonly enrolled_at: number;
}

export class StageTotals {
  readonly #kept = new Map<string, { readonly revision: number; readonly totals: readonly number[] }>();

  async of(sql: Sql, rollout: Rollout): Promise<readonly number[]> {
    const revision = await fleetRevision(sql);
    const kept = this.#kept.get(rollout.id);
    if (kept?.revision === revision) return kept.totals;
    const totals = await countStages(sql, rollout);
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(rollout.id, { revision, totals });
    return totals;
  }
}

async function countStages(sql: Sql, { id, name, spec, createdAt }: Rollout): Promise<number[]> {
  const totals = spec.stages.map(() => 0);
  const groups = await tagsByDevice<{ device_id: string; name: string }>(
    sql,
    'SELECT device_id, name FROM device_groups',
    (row) => row.name,
  );
  const keys = Object.keys(spec.target.labels);
  const labels =
    keys.length === 0
      ? new Map<string, string[]>()
      : await tagsByDevice<{ device_id: string; key: string; value: string }>(
          sql,
          `SELECT device_id, key, value FROM device_labels WHERE key IN (${keys.map((_, at) => `$${at + 1}`).join(', ')})`,
          (row) => `${row.key}\n${row.value}`,
          keys,
        );
  const devices = await sql.all<FleetRow>(
    `SELECT id, enrolled_at FROM devices WHERE retired = 0 AND NOT EXISTS (
       SELECT 1 FROM device_models WHERE device_id = devices.id AND name = $1 AND pinned IS NOT NULL)`,
    [name],
  );
  for (const device of devices) {
    if (spec.lateDevices === 'skip' && device.enrolled_at > createdAt) continue;
    const pairs = (labels.get(device.id) ?? []).map((pair) => pair.split('\n') as [string, string]);
    const candidate = { id: device.id, groups: groups.get(device.id) ?? [], labels: Object.fromEntries(pairs) };
    const stage = stageOf(id, spec, candidate);
    if (stage !== null) totals[stage] = (totals[stage] ?? 0) + 1;
  }
  return totals;
}

async function tagsByDevice<R extends { readonly device_id: string }>(
  sql: Sql,
  text: string,
  tagOf: (row: R) => string,
  values: readonly string[] = [],
): Promise<Map<string, string[]>> {
  const byDevice = new Map<string, string[]>();
  for (const row of await sql.all<R>(text, values)) {
    const tags = byDevice.get(row.device_id);
    if (tags === undefined) byDevice.set(row.device_id, [tagOf(row)]);
    else tags.push(tagOf(row));
  }
  return byDevice;
}
