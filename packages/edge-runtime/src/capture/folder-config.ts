// The keys of a folder source in a station file.
import { maybe, needed, object, type ValueOf, withDefault } from '../config/shape.ts';
import { choice, duration, flag, pattern, size, text } from '../config/values.ts';

export const folderShape = object({
  path: needed(
    text(),
    'The folder, relative to the station file. Its PNG, JPEG and WebP files are read, not its subfolders.',
  ),
  partId: maybe(
    pattern,
    "Finds the part's id in the file's name: the group `part`, else the first group, else all of it.",
  ),
  order: withDefault(
    choice(['name', 'time']),
    'name',
    'Which of several files is first: by name, or by time of change.',
  ),
  whenRead: withDefault(
    choice(['move', 'remember', 'delete']),
    'move',
    'What happens to a file whose result is safe: moved to `done` or `failed`, left and written down in `state`, or deleted.',
  ),
  done: withDefault(text(), 'done', 'Where read files go, relative to `path`.'),
  failed: withDefault(text(), 'failed', 'Where files go that gave `NO_READ` or `ERROR`, relative to `path`.'),
  state: withDefault(text(), '.kerf-read', 'The file, relative to `path`, that remembers what was read.'),
  atEnd: withDefault(choice(['watch', 'end']), 'watch', 'When all files are read: wait for more, or end the station.'),
  settle: withDefault(
    duration({ leastMs: 0, mostMs: 3_600_000 }),
    200,
    'How long a file must stand still before it counts as whole; 0 ms where writers rename their files into place.',
  ),
  poll: withDefault(duration({ leastMs: 10, mostMs: 3_600_000 }), 500, 'Time between two looks at the folder at most.'),
  largestFile: withDefault(size({ least: 1, most: 2 ** 30 }), 64 * 2 ** 20, 'Larger files are not read: `NO_READ`.'),
  simulated: withDefault(flag, false, 'True for pictures that are no real parts; stands in every result.'),
});

/** Durations in milliseconds, sizes in bytes, paths absolute. */
export type FolderConfig = ValueOf<typeof folderShape>;
