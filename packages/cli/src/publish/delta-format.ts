// The option --delta-format of what makes deltas -> the newest version of their format that may be used.
import type { FormatVersion } from '@kerf/delta-sync';
import type { CommandLine, OptionSpec } from '../command.ts';

const NEWEST = 2;

/** @param when what the help says it is for, such as `serve: ` */
export function deltaFormatOption(when = ''): Readonly<Record<string, OptionSpec>> {
  return {
    'delta-format': {
      type: 'string',
      value: 'N',
      check: deltaFormatOf,
      help: `${when}newest format of deltas: 1 for devices whose kerf reads no other (default ${NEWEST})`,
    },
  };
}

/** @throws {KerfError} INVALID_ARGUMENT. */
export function deltaFormatOf(line: CommandLine): FormatVersion {
  return line.number('delta-format', NEWEST, { least: 1, most: NEWEST }) as FormatVersion;
}
