// The `source` group of a station file: one shape for each kind of source.
import { kinds, needed, object, type ValueOf, withDefault } from '../config/shape.ts';
import { flag, text } from '../config/values.ts';

/** Pictures that appear in a folder. */
export const FOLDER_SOURCE = object({
  name: withDefault(text({ mostCharacters: 64 }), 'folder', 'name of the source in records'),
  path: needed(text(), 'folder of pictures; relative to the station file'),
  watch: withDefault(flag, true, 'keep looking for new pictures; false ends after those that are there'),
});

/** Every kind of source that a station file can name. */
export const SOURCE_CONFIG = kinds({ folder: FOLDER_SOURCE });

export type SourceConfig = ValueOf<typeof SOURCE_CONFIG>;
export type FolderSourceConfig = ValueOf<typeof FOLDER_SOURCE>;
