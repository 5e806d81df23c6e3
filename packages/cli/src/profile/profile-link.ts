// `kerf profile --link URL`: what the link to a cloud does, measured, as a JSON file that `kerf plan --link` reads.
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { measureLink } from '@kerf/edge-runtime';
import { authorityText, wsConnect } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { LINK_FORMAT, type LinkProfile } from '@kerf/splitter';
import { type CommandLine, type Io, type OptionSpec, usageError, VERSION } from '../command.ts';
import { byteSize, formatRate, milliseconds } from '../units.ts';
import { profileText, writeProfile } from './profile-file.ts';

/** What `kerf profile` takes with --link, beside --out, --budget and --json. */
export const LINK_PROFILE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  link: { type: 'string', value: 'URL', help: 'measure the link to the cloud at wss://host:port instead of a model' },
  'token-file': { type: 'string', value: 'FILE', help: 'with --link: token for the cloud (or KERF_TOKEN)' },
  ca: { type: 'string', value: 'FILE', help: "with --link: PEM of the authority behind the cloud's certificate" },
  'max-bytes': {
    type: 'string',
    value: 'SIZE',
    help: 'with --link: bytes that may cross, both ways together, for metered links (default 100MB)',
  },
};

const DEFAULT_FILE = 'link.profile.json';
const DEFAULT_BUDGET = '15s';
const MIN_BUDGET_MS = 1_000;
const MAX_BUDGET_MS = 600_000;
const MIN_BYTES = 100_000;

/** @returns the exit status. @throws {KerfError} INVALID_ARGUMENT, FILE_EXISTS, FILE_NOT_FOUND; how the link failed. */
export async function profileLink(line: CommandLine, io: Io): Promise<number> {
  const url = line.required('link');
  if (line.positionals.length > 0) throw usageError('--link measures a link and a MODEL costs on a device: name one');
  const maxBytes = byteSize('max-bytes', line.text('max-bytes') ?? '100MB');
  if (maxBytes < MIN_BYTES) throw usageError(`--max-bytes must be at least ${MIN_BYTES / 1000}KB`);
  const budgetMs = milliseconds('budget', line.text('budget') ?? DEFAULT_BUDGET);
  if (budgetMs < MIN_BUDGET_MS || budgetMs > MAX_BUDGET_MS) {
    throw usageError(`--budget must be from ${MIN_BUDGET_MS / 1000}s to ${MAX_BUDGET_MS / 1000}s with --link`);
  }
  const isJson = line.flag('json');
  const out = line.text('out') ?? (isJson ? null : DEFAULT_FILE);
  if (out !== null) await checkTarget(out);
  const ca = line.text('ca');
  const connect = wsConnect({ url, ...(ca === undefined ? {} : { ca: await authorityText(ca) }) });
  const token = await tokenOf(line);
  const profile = await measureLink({ connect, token, budgetMs, maxBytes, agent: `kerf-profile/${VERSION}` });
  if (out !== null) await writeProfile(out, profile);
  if (isJson) io.print(profileText(profile));
  else for (const text of summary(profile, url, out)) io.print(text);
  return 0;
}

function summary(profile: LinkProfile, url: string, file: string | null): string[] {
  return [
    `link to ${new URL(url).host}`,
    `  up          ${formatRate(profile.uplinkBitsPerSecond)}`,
    `  down        ${formatRate(profile.downlinkBitsPerSecond)}`,
    `  round trip  ${profile.roundTripMs.toFixed(1)} ms`,
    `  jitter      ${profile.jitterMs.toFixed(1)} ms (99th percentile of the round trip less its median)`,
    ...(file === null ? [] : ['', `profile written to ${file}`]),
  ];
}

async function tokenOf(line: CommandLine): Promise<string | null> {
  const file = line.text('token-file');
  return file === undefined ? (process.env['KERF_TOKEN'] ?? null) : (await readText(file, 'token')).trim();
}

async function readText(path: string, what: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `the ${what} ${path} cannot be read`, { cause });
  });
}

/** A link's profile may be replaced by a newer one, and nothing else: a device's took minutes. */
async function checkTarget(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    return '';
  });
  if (text === null || formatOf(text) === LINK_FORMAT) return;
  throw new KerfError('FILE_EXISTS', `${path} is there and is no link's profile; name another file with --out`);
}

function formatOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { format?: unknown } | null)?.format;
  } catch {
    return null;
  }
}
