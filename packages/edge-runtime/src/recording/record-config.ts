// The `record` group of a station file: sessions as they happen, for replay and comparison.
import { needed, object, type ValueOf, withDefault } from '../config/shape.ts';
import { size, text } from '../config/values.ts';

export const recordShape = object({
  path: needed(text({ mostCharacters: 4096 }), 'folder for sessions, relative to the station file'),
  fileSize: withDefault(
    size({ least: 2 ** 20, most: 2 ** 40 }),
    256e6,
    'a session of this size is closed, and the next one begun',
  ),
  quota: withDefault(size({ least: 2 ** 20, most: 2 ** 50 }), 4e9, 'all sessions together: beyond it the oldest go'),
});

/** Sizes in bytes. */
export type RecordConfig = ValueOf<typeof recordShape>;
