// The command line of a long run (sim, chaos, bench): what it does not know ends it with a line, not with a stack trace.
import process from 'node:process';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { messageOf } from '@kerf/protocol';

export function readCommandLine<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const options = Object.keys(config.options ?? {}).map((name) => `--${name}`);
    return refuse(`${messageOf(error)}; options are ${options.join(', ')}`);
  }
}

/** @param text of `--name`; a run of NaN seeds would break no promise. */
export function wholeNumber(name: string, text: string): number {
  return /^\d+$/.test(text) ? Number(text) : refuse(`--${name} takes a whole number, not '${text}'`);
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
