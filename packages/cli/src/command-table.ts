// The list of commands and the text of `kerf help`. A command's code is loaded when it is used.
import { nearestNames } from '@kerf/protocol';
import { type Command, usageError } from './command.ts';

const TABLE: Readonly<Record<string, { readonly summary: string; load(): Promise<Command> }>> = {
  cuts: { summary: 'list every valid cut of a model', load: async () => (await import('./commands/cuts.ts')).cuts },
  split: { summary: 'cut a model into head and tail', load: async () => (await import('./commands/split.ts')).split },
  verify: {
    summary: 'compare head then tail with the whole model',
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  golden: {
    summary: 'samples that a release must get right before a cloud serves it',
    load: async () => (await import('./commands/golden.ts')).golden,
  },
  evaluate: {
    summary: 'how well a model does its task, at any placement and with any codec',
    load: async () => (await import('./commands/evaluate.ts')).evaluate,
  },
  calibrate: {
    summary: 'find the smallest codec at a cut that costs the task no more than is allowed',
    load: async () => (await import('./commands/calibrate.ts')).calibrate,
  },
  profile: {
    summary: 'measure what a model costs on this device',
    load: async () => (await import('./commands/profile.ts')).profile,
  },
  plan: {
    summary: 'where to run a model, and what it gains',
    load: async () => (await import('./commands/plan.ts')).plan,
  },
  chain: {
    summary: 'cut a model into segments, so that the cut can move later',
    load: async () => (await import('./commands/chain.ts')).chain,
  },
  diff: {
    summary: 'what one version of a model needs to become another',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  patch: {
    summary: 'apply what kerf diff wrote',
    load: async () => (await import('./commands/patch.ts')).patch,
  },
  publish: {
    summary: 'a model, a split or a chain as a signed release',
    load: async () => (await import('./commands/publish.ts')).publish,
  },
  releases: {
    summary: 'what a repository has',
    load: async () => (await import('./commands/releases.ts')).releases,
  },
  show: { summary: 'one release, file by file', load: async () => (await import('./commands/show.ts')).show },
  keys: { summary: 'who may sign releases', load: async () => (await import('./commands/keys.ts')).keys },
  update: {
    summary: 'keep a device current: install, confirm, go back',
    load: async () => (await import('./commands/update.ts')).update,
  },
  quantize: {
    summary: 'a smaller, faster form of a model, and what it costs',
    load: async () => (await import('./commands/quantize.ts')).quantize,
  },
  inspect: {
    summary: 'run a station and watch it in the Inspector',
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  serve: { summary: 'run the cloud', load: async () => (await import('./commands/serve.ts')).serve },
  registry: {
    summary: 'run the registry of a fleet, send releases to it',
    load: async () => (await import('./commands/registry.ts')).registry,
  },
  devices: {
    summary: 'devices of a registry, and what they should have',
    load: async () => (await import('./commands/devices.ts')).devices,
  },
  rollout: {
    summary: 'bring a release to a fleet, stage by stage',
    load: async () => (await import('./commands/rollout.ts')).rollout,
  },
  audit: {
    summary: 'verify and export the audit log of a registry',
    load: async () => (await import('./commands/audit.ts')).audit,
  },
  run: { summary: 'run an edge', load: async () => (await import('./commands/run.ts')).run },
  station: {
    summary: 'run an inspection station',
    load: async () => (await import('./commands/station.ts')).station,
  },
  replay: {
    summary: 'judge a recorded session again, and say which verdicts differ',
    load: async () => (await import('./commands/replay.ts')).replay,
  },
  samples: {
    summary: 'parts kept for labelling, and labelled ones as a data set',
    load: async () => (await import('./commands/samples.ts')).samples,
  },
  token: { summary: 'make keys and tokens', load: async () => (await import('./commands/token.ts')).token },
  demo: { summary: 'see it all at once on this machine', load: async () => (await import('./commands/demo.ts')).demo },
};

export const COMMAND_NAMES: readonly string[] = Object.keys(TABLE);

/** Columns of a paragraph in the help, and of the names of options beside what they mean. */
const HELP_COLUMNS = 100;
const OPTION_COLUMNS = 29;

/** In the order in which somebody meets them. */
const GROUPS: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['start', ['demo']],
  ['where to cut', ['cuts', 'profile', 'plan']],
  ['cut, and make small', ['split', 'chain', 'verify', 'calibrate', 'quantize', 'evaluate']],
  ['run', ['serve', 'run', 'station', 'inspect', 'samples', 'replay', 'token']],
  ['update models', ['publish', 'releases', 'show', 'keys', 'golden', 'update', 'diff', 'patch']],
  ['a fleet', ['registry', 'devices', 'rollout', 'audit']],
];
const NAMED = new Set(GROUPS.flatMap(([, names]) => names));

export const HELP = [
  'kerf cuts an ONNX model in two: the head runs on the edge, the tail in the cloud.',
  '',
  'usage: kerf COMMAND [OPTIONS]',
  ...[...GROUPS, ['others', COMMAND_NAMES.filter((name) => !NAMED.has(name))] as const].flatMap(([title, names]) => {
    const rows = names.flatMap((name) => {
      const entry = TABLE[name];
      return entry === undefined ? [] : [`  ${name.padEnd(10)} ${entry.summary}`];
    });
    return rows.length === 0 ? [] : ['', `${title}:`, ...rows];
  }),
  '',
  "'kerf help COMMAND' shows the options. Every command that reports takes --json.",
  'Exit status: 0 done, 1 failed, 2 wrong usage. Errors are one line: kerf: CODE: message.',
].join('\n');

/** @throws {KerfError} INVALID_ARGUMENT for an unknown name. */
export async function findCommand(name: string): Promise<Command> {
  const entry = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
  if (entry === undefined) {
    const [near] = nearestNames(name, COMMAND_NAMES, 1);
    const hint = near === undefined ? `commands are ${COMMAND_NAMES.join(', ')}` : `did you mean '${near}'?`;
    throw usageError(`there is no command '${name}'; ${hint}`);
  }
  return entry.load();
}

/** The help of one command. */
export function helpOf(command: Command): string {
  const rows = Object.entries(command.options).flatMap(([name, { value, type, help }]) => {
    const left = type === 'boolean' ? `--${name}` : `--${name} ${value ?? 'VALUE'}`;
    const [first = '', ...rest] = wrapped(help, HELP_COLUMNS - OPTION_COLUMNS);
    return [
      `  ${left}`.padEnd(OPTION_COLUMNS - 1).concat(` ${first}`),
      ...rest.map((text) => ' '.repeat(OPTION_COLUMNS) + text),
    ];
  });
  return [
    `usage: kerf ${command.name} ${command.usage}`,
    '',
    ...wrapped(command.summary),
    ...(rows.length > 0 ? ['', ...rows] : []),
    ...(command.notes === undefined ? [] : ['', ...wrapped(command.notes)]),
  ].join('\n');
}

/** Lines of at most so many columns; a line that fits stays as it is. */
function wrapped(text: string, columns = HELP_COLUMNS): string[] {
  return text.split('\n').flatMap((line) => {
    if (line.length <= columns) return [line];
    const lines = [''];
    for (const word of line.split(' ')) {
      const last = lines.at(-1) ?? '';
      if (last !== '' && last.length + 1 + word.length > columns) lines.push(word);
      else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
    }
    return lines;
  });
}
