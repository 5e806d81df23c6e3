// All devices that are not retired -> how many there are, are in touch, and have which release.
import { one, type Sql } from '../store/database.ts';

export interface FleetCount {
  readonly devices: number;
  readonly seen: number;
  /** By model and release, most devices first. Releases by their id; null: none of this model. */
  readonly installed: readonly { readonly name: string; readonly release: string | null; readonly devices: number }[];
}

/** Kinds of installations that are told apart; the rarest are left out. */
export const MAX_COUNTED = 200;

/** @param seenSince milliseconds since 1970 */
export async function countFleet(sql: Sql, seenSince: number): Promise<FleetCount> {
  const all = await one<{ devices: number; seen: number | null }>(
    sql,
    `SELECT count(*) AS devices, sum(CASE WHEN last_seen_at >= $1 THEN 1 ELSE 0 END) AS seen FROM devices WHERE retired = 0`,
    [seenSince],
  );
  const installed = await sql.all<FleetCount['installed'][number]>(
    `SELECT model.name, model.installed AS "release", count(*) AS devices FROM device_models model
     JOIN devices device ON device.id = model.device_id WHERE device.retired = 0
     GROUP BY model.name, model.installed ORDER BY count(*) DESC, model.name, model.installed LIMIT ${MAX_COUNTED}`,
  );
  return { devices: all?.devices ?? 0, seen: all?.seen ?? 0, installed };
}
