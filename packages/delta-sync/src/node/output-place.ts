// A path that somebody named for a file to be written -> where that file lies: behind links, and never in the place of a device.
import { readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { KerfError } from '@kerf/protocol';

/** As many as Linux follows. */
const MAX_LINKS = 40;

/**
 * A file is written beside its place and renamed: without this, a link would be replaced, and `/dev/null` too.
 * @throws {KerfError} INVALID_ARGUMENT for what is there and is no file, and for links that lead in a circle.
 */
export async function outputPlace(named: string): Promise<string> {
  let place = named;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const target = await readlink(place).catch(() => null);
    if (target === null) {
      const stats = await stat(place).catch(() => null);
      if (stats === null || stats.isFile()) return place;
      throw new KerfError('INVALID_ARGUMENT', `'${named}' is there and is no file: name another place`);
    }
    place = path.resolve(path.dirname(place), target);
  }
  throw new KerfError('INVALID_ARGUMENT', `'${named}' is a link that leads in a circle`);
}
