// Station files, and addresses of other machines' lines -> the lines of one page, all of them or none.
import { type MediaHost, readStationFile } from '@kerf/edge-runtime/node';
import { KerfError, messageOf } from '@kerf/protocol';
import { isAddress } from '../addresses.ts';
import { type InspectedStation, openInspected } from './open-inspected.ts';
import { type RemoteLine, remoteLine } from './remote-line.ts';

/** A station of this process, or the way to another's. */
export type OpenedLine = InspectedStation | RemoteLine;

/**
 * @param given station files and addresses, in the order of the lines
 * @param ca PEM file that other machines' certificates are known by; null: the system's authorities
 * @param say hears of faults in background work, by the line where there are several
 * @param media opens cameras where ffmpeg is not installed
 * @throws {KerfError} what opening one of them throws; CONFIG_INVALID where two have one name: people tell them apart by it,
 * and files beside the station file are called so.
 */
export async function openLines(
  given: readonly string[],
  ca: string | null,
  say: (event: string, message: string) => void,
  media?: MediaHost,
): Promise<OpenedLine[]> {
  const paths = given.filter((one) => !isAddress(one));
  const names = await Promise.all(paths.map(async (path) => (await readStationFile(path)).config.station));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new KerfError('CONFIG_INVALID', `two lines are called '${twice}': give each station a name of its own`);
  }
  const lines: OpenedLine[] = [];
  try {
    for (const path of given) {
      if (isAddress(path)) {
        lines.push(await remoteLine(path, ca));
        continue;
      }
      const at = given.length === 1 ? '' : `${path}: `;
      lines.push(
        await openInspected(path, {
          onOutbox: (event) => {
            if (event.kind === 'sink-blocked') say(`sink ${event.sink}`, `${at}${event.message}`);
          },
          onNotice: (message) => say('notice', `${at}${message}`),
          onFault: (error) => say('fault', `${at}${messageOf(error)}`),
          ...(media === undefined ? {} : { media }),
        }),
      );
    }
  } catch (error) {
    await closeLines(lines);
    throw error;
  }
  return lines;
}

export async function closeLines(lines: readonly OpenedLine[]): Promise<void> {
  for (const line of lines) if ('close' in line) await line.close();
}
