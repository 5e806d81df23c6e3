// What a sub-command is, and how its command line becomes checked values.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { KerfError, messageOf, nearestNames } from '@kerf/protocol';

export const VERSION = (createRequire(import.meta.url)('@kerf/cli/package.json') as { version: string }).version;

/** One option of a command. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** May be given several times. */
  readonly multiple?: boolean;
  /** Stands for the value in the help, such as `N` or `DIR`. */
  readonly value?: string;
  readonly help: string;
  /** Reads the value, and throws when it cannot be used: asked also where the command would have no need of it. */
  readonly check?: (line: CommandLine) => unknown;
}

export interface Command {
  readonly name: string;
  /** Behind the name in the usage line. */
  readonly usage: string;
  readonly summary: string;
  /** Paragraphs below the options in the help. */
  readonly notes?: string;
  /** How many positional arguments: [least, most]. */
  readonly positionals: readonly [number, number];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Runs in a child process: it hands a model that nobody vouches for to the runtime. */
  readonly isolated?: boolean;
  /** True of a line that runs until it is told to end: it goes on where nobody can take what it prints. */
  lasts?(line: CommandLine): boolean;
  /** @returns the exit status. */
  run(line: CommandLine, io: Io): Promise<number>;
}

export interface Io {
  /** One line to standard output. */
  print(line: string): void;
}

/** Positional arguments and options as typed values. */
export class CommandLine {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(positionals: readonly string[], values: Readonly<Record<string, unknown>>) {
    this.positionals = positionals;
    this.#values = values;
  }

  /** The positional argument at `index`, which the command's bounds guarantee. */
  positional(index: number): string {
    const value = this.positionals[index];
    if (value === undefined) throw new KerfError('INTERNAL', `positional argument ${index} is not there`);
    return value;
  }

  isGiven(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined;
  }

  texts(name: string): readonly string[] {
    return (this.#values[name] as string[] | undefined) ?? [];
  }

  /** @throws {KerfError} INVALID_ARGUMENT when the option is missing. */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw usageError(`--${name} is needed`);
    return value;
  }

  /** A number in [least, most]. @throws {KerfError} INVALID_ARGUMENT. */
  number(name: string, fallback: number, { least = 0, most = Number.MAX_SAFE_INTEGER, whole = true } = {}): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value) || value < least || value > most || (whole && !Number.isInteger(value))) {
      const kind = whole ? 'a whole number' : 'a number';
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
      throw usageError(`--${name} must be ${kind} ${range}, got '${text}'`);
    }
    return value;
  }

  /** One of `allowed`. @throws {KerfError} INVALID_ARGUMENT. */
  choice<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const text = this.text(name) ?? fallback;
    const found = allowed.find((value) => value === text);
    if (found === undefined) throw usageError(`--${name} must be one of ${allowed.join(', ')}, got '${text}'`);
    return found;
  }
}

/** Wrong usage: exit status 2. */
export function usageError(message: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', message);
}

/** @throws {KerfError} INVALID_ARGUMENT for unknown and repeated options, missing values and a wrong number of arguments. */
export function parseCommandLine(command: Command, argv: readonly string[]): CommandLine {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, multiple }]) => [name, { type, multiple: multiple ?? false }]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    const tokens = parseArgs({ args: [...argv], options, allowPositionals: true, strict: false, tokens: true }).tokens;
    checkOptions(command, tokens, argv);
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usageError(`${messageOf(error).split(/\.\s/)[0]}; see 'kerf help ${command.name}'`);
  }
  const [least, most] = command.positionals;
  const count = parsed.positionals.length;
  if (count < least || count > most) {
    throw usageError(`usage: kerf ${command.name} ${command.usage}; see 'kerf help ${command.name}'`);
  }
  const line = new CommandLine(parsed.positionals, parsed.values);
  for (const [name, { check }] of Object.entries(command.options)) if (line.isGiven(name)) check?.(line);
  return line;
}

/** What `parseArgs` says badly or lets pass: an option that is not there, a value left out, an option given twice. */
function checkOptions(command: Command, tokens: readonly Token[], argv: readonly string[]): void {
  const given = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const spec = Object.hasOwn(command.options, name) ? command.options[name] : undefined;
    if (spec === undefined) {
      const word = argv.find((one) => one.startsWith(rawName) && existsSync(one));
      if (word !== undefined) throw usageError(`a file whose name begins with - is written ./${word}`);
      throw usageError(unknownOption(rawName, Object.keys(command.options)));
    }
    if (spec.type === 'string' && token.inlineValue !== true && value?.startsWith('-') === true && value.length > 1) {
      throw usageError(`${rawName} needs a value; one that begins with - is written ${rawName}=${value}`);
    }
    if (spec.type === 'string' && value === undefined) throw usageError(`${rawName} needs a value`);
    // Such as --ca "$NOT_SET".
    if (spec.type === 'string' && value === '') throw usageError(`${rawName} needs a value, and got an empty one`);
    // The last one would win, and nobody would know that the first did nothing.
    if (given.has(name) && spec.multiple !== true) throw usageError(`${rawName} was given twice; it takes one value`);
    if (spec.type === 'string') given.add(name);
  }
}

function unknownOption(rawName: string, names: readonly string[]): string {
  const near = nearestNames(rawName.replace(/^-+/, ''), names, 1);
  return `there is no option ${rawName}${near.length === 0 ? '' : `; did you mean --${near[0]}?`}`;
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];
