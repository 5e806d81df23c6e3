// What stands on the command line -> checked options.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KerfError, messageOf } from '@kerf/protocol';
import { type Defect, isDefect } from '../defects.ts';
import { SPLIT_NAMES, type Split } from '../splits.ts';

/** Exit code of a wrong command line, as of `kerf`. */
export const USAGE_CODE = 2;

export interface Command {
  readonly usage: string;
  /** @returns what to print. @throws {KerfError} INVALID_ARGUMENT and what the work throws. */
  run(args: readonly string[]): Promise<string>;
}

/** The values of one command's options, all of them text until asked for. */
export class Options {
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;
  readonly #positionals: readonly string[];
  readonly #usage: string;

  /** @param texts, flags the names of the options. @throws {KerfError} INVALID_ARGUMENT for any other. */
  constructor(args: readonly string[], usage: string, texts: readonly string[], flags: readonly string[] = []) {
    const text = texts.map((name) => [name, { type: 'string' }] as const);
    const flag = flags.map((name) => [name, { type: 'boolean' }] as const);
    this.#usage = usage;
    try {
      const parsed = parseArgs({
        args: [...args],
        allowPositionals: true,
        options: Object.fromEntries([...text, ...flag]),
      });
      this.#values = parsed.values as Record<string, string | boolean | undefined>;
      this.#positionals = parsed.positionals;
    } catch (cause) {
      throw this.#wrong(messageOf(cause));
    }
  }

  /** The only positional, a path: seen from where the user called npm, which runs scripts in the package's folder. */
  path(): string {
    const [path, more] = this.#positionals;
    if (path === undefined || path === '' || more !== undefined) throw this.#wrong('one path is needed');
    return userPath(path);
  }

  /** Null where the option is not given. */
  text(name: string): string | null {
    const value = this.#values[name];
    return typeof value === 'string' ? value : null;
  }

  /** A path that an option names. */
  file(name: string, otherwise?: string): string {
    const value = this.#values[name] ?? otherwise;
    if (typeof value !== 'string' || value === '') throw this.#wrong(`--${name} FILE is needed`);
    return userPath(value);
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  number(name: string, otherwise: number): number {
    const value = this.#values[name];
    if (typeof value !== 'string') return otherwise;
    if (value.trim() === '' || !Number.isFinite(Number(value))) {
      throw new KerfError('INVALID_ARGUMENT', `--${name} must be a number, got '${value}'`);
    }
    return Number(value);
  }

  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const value = this.#values[name] ?? otherwise;
    const chosen = choices.find((choice) => choice === value);
    if (chosen === undefined) {
      throw new KerfError('INVALID_ARGUMENT', `--${name} must be one of ${choices.join(', ')}, got '${value}'`);
    }
    return chosen;
  }

  split(otherwise: Split): Split {
    return this.choice('split', SPLIT_NAMES, otherwise);
  }

  /** Undefined where the option is not given. */
  kinds(): { readonly kinds: readonly Defect[] } | Record<string, never> {
    const value = this.#values['kinds'];
    if (typeof value !== 'string') return {};
    const kinds = value.split(',').map((kind) => {
      if (!isDefect(kind)) throw new KerfError('INVALID_ARGUMENT', `'${kind}' is no kind of defect`);
      return kind;
    });
    return { kinds };
  }

  #wrong(what: string): KerfError {
    return new KerfError('INVALID_ARGUMENT', `${what}\n\n${this.#usage}`);
  }
}

function userPath(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', path);
}
