// The option --delta-format of what makes deltas -> the newest version of their format that may be used.
import { type FormatVersion, LAST_FORMAT } from '@kerf/delta-sync';
import type { CommandLine, OptionSpec } from '../command.ts';

/** @param when what the help says it is for, such as `serve: ` */
export function deltaFormatOption(when = ''): Readonly<Record<string, OptionSpec>> {
  return {
    'delta-format': {
      type: 'string',
      value: 'N',
      check: deltaFormatOf,
      help: `${when}newest format of deltas, for devices whose kerf reads none newer (default ${LAST_FORMAT})`,
    },
  };
}

/** @throws {KerfError} INVALID_ARGUMENT. */
export function deltaFormatOf(line: CommandLine): FormatVersion {
  return line.number('delta-format', LAST_FORMAT, { least: 1, most: LAST_FORMAT }) as FormatVersion;
}
