// Station files -> the lines of one page, all of them or none.
import { readStationFile } from '@kerf/edge-runtime/node';
import { KerfError, messageOf } from '@kerf/protocol';
import { type InspectedStation, openInspected } from './open-inspected.ts';

/**
 * @param say hears of faults in background work, by the line where there are several
 * @throws {KerfError} what opening one of them throws; CONFIG_INVALID where two have one name: people tell them apart by it,
 * and files beside the station file are called so.
 */
export async function openLines(
  paths: readonly string[],
  say: (event: string, message: string) => void,
): Promise<InspectedStation[]> {
  const names = await Promise.all(paths.map(async (path) => (await readStationFile(path)).config.station));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new KerfError('CONFIG_INVALID', `two lines are called '${twice}': give each station a name of its own`);
  }
  const lines: InspectedStation[] = [];
  try {
    for (const path of paths) {
      const at = paths.length === 1 ? '' : `${path}: `;
      lines.push(
        await openInspected(path, {
          onOutbox: (event) => {
            if (event.kind === 'sink-blocked') say(`sink ${event.sink}`, `${at}${event.message}`);
          },
          onFault: (error) => say('fault', `${at}${messageOf(error)}`),
        }),
      );
    }
  } catch (error) {
    await closeLines(lines);
    throw error;
  }
  return lines;
}

export async function closeLines(lines: readonly InspectedStation[]): Promise<void> {
  for (const line of lines) await line.close();
}
