// A release that is going to a fleet -> the deltas that its devices will ask for, in the queue before the first one does.
import { KerfError } from '@kerf/protocol';
import type { RegistryContext } from '../context.ts';
import { askDelta } from './delta-rows.ts';

/** Releases that devices come from; the others are asked for when a device asks. */
const MAX_BASES = 16;

interface PairRow {
  readonly base: string;
  readonly target: string;
}

/** Between files of one name that differ, from the releases that most devices have. What cannot be queued is left out. */
export async function askForRollout(context: RegistryContext, releaseId: string): Promise<void> {
  const pairs = await context.database.all<PairRow>(
    `SELECT old.sha256 AS base, fresh.sha256 AS target FROM release_files fresh
     JOIN release_files old ON old.name = fresh.name AND old.sha256 <> fresh.sha256
     JOIN (SELECT installed, count(*) AS devices FROM device_models
           WHERE name = (SELECT name FROM releases WHERE id = $1) AND installed IS NOT NULL
           GROUP BY installed ORDER BY count(*) DESC LIMIT ${MAX_BASES}) had ON had.installed = old.release_id
     WHERE fresh.release_id = $1 GROUP BY old.sha256, fresh.sha256 ORDER BY max(had.devices) DESC`,
    [releaseId],
  );
  for (const { base, target } of pairs) {
    try {
      await askDelta(context, base, target);
    } catch (error) {
      if (!KerfError.is(error) || error.code === 'STORE_FAILED') throw error;
      return;
    }
  }
}
