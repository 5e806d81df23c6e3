// `kerf serve`: the cloud as a process. Keys and certificate appear on first start; SIGTERM drains.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import {
  type AuthOptions,
  type Cloud,
  type CloudOptions,
  DEFAULT_AUDIENCE,
  type Log,
  startCloud,
  type TlsOptions,
} from '@kerf/cloud-runtime';
import { isLoopback, type OptimizationLevel } from '@kerf/protocol';
import { growHeapFreely } from '@kerf/protocol/node';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { PRIVATE_KEY_FILE, PUBLIC_KEY_FILE, writeTokenKeys } from './token.ts';

const LEVELS: readonly OptimizationLevel[] = ['disabled', 'basic', 'extended', 'all'];

export const serve: Command = {
  name: 'serve',
  usage: '--models DIR [OPTIONS]',
  summary:
    'Runs the cloud: every folder below DIR with a split.json is a tail, every other .onnx file a whole model. ' +
    'TLS and tokens are on; a development certificate and a key pair are made on first start.',
  positionals: [0, 0],
  options: {
    models: { type: 'string', value: 'DIR', help: 'folder of models; new ones are found while it runs' },
    port: { type: 'string', value: 'N', help: 'default 8443; 0 takes a free one' },
    host: { type: 'string', value: 'ADDRESS', help: 'default 127.0.0.1; 0.0.0.0 for all interfaces' },
    state: { type: 'string', value: 'DIR', help: 'where certificate and keys are kept (default .kerf)' },
    'public-key': {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'public key of whoever issues tokens; may be repeated',
    },
    revoked: {
      type: 'string',
      value: 'FILE',
      help: "revoked tokens: an id or 'subject:NAME' a line; read again when it changes",
    },
    audience: {
      type: 'string',
      value: 'NAME',
      help: `the audience that tokens must name (default ${DEFAULT_AUDIENCE})`,
    },
    'no-auth': { type: 'boolean', help: 'serve every program that can connect, and pages of this machine' },
    origin: {
      type: 'string',
      multiple: true,
      value: 'ORIGIN',
      help: 'with --no-auth: pages from there may connect too, such as https://station.example; may be repeated',
    },
    cert: { type: 'string', value: 'FILE', help: 'PEM certificate chain instead of the development certificate' },
    'cert-key': { type: 'string', value: 'FILE', help: 'PEM private key of --cert' },
    'cert-host': {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: 'further host name of the development certificate',
    },
    'no-tls': { type: 'boolean', help: 'plain text; on loopback only' },
    preload: { type: 'string', multiple: true, value: 'MODEL', help: 'load before reporting ready; may be repeated' },
    provider: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: 'execution provider, in order of preference (default cpu)',
    },
    threads: { type: 'string', value: 'N', help: 'threads of one operator (default 1)' },
    level: { type: 'string', value: 'LEVEL', help: `graph optimisation: ${LEVELS.join(', ')} (default all)` },
    workers: { type: 'string', value: 'N', help: 'worker processes of one model (default 1)' },
    'max-batch': {
      type: 'string',
      value: 'N',
      help: 'frames that may run together; 1 switches batching off (default 16)',
    },
    'max-delay-ms': {
      type: 'string',
      value: 'N',
      help: 'longest that a frame waits for company in a batch (default 2)',
    },
    'batch-tolerance': {
      type: 'string',
      value: 'N',
      help: 'difference at which a batch counts as equal to single runs, such as 1e-5 (default 0: bit for bit)',
    },
    'accept-late': {
      type: 'boolean',
      help: 'queue frames that would be answered after their deadline instead of refusing them at once',
    },
    'max-worker-mb': {
      type: 'string',
      value: 'N',
      help: 'memory at which a worker process is replaced by a fresh one (default: when it has grown to three times)',
    },
    otlp: {
      type: 'string',
      value: 'URL',
      help: 'collector of traces (OTLP over HTTP), such as http://localhost:4318',
    },
    'drain-seconds': { type: 'string', value: 'N', help: 'time for frames in flight after SIGTERM (default 10)' },
    json: { type: 'boolean', help: 'print events as JSON lines, among them {"event":"listening","url":...}' },
  },
  lasts: () => true,
  async run(line, io) {
    growHeapFreely();
    const options = await cloudOptions(line, io);
    const cloud = await startCloud(options);
    // Before anybody is told that it runs: who is told may end it at once.
    const signals = watchSignals();
    announce(cloud, line, io);
    await drainOnSignal(cloud, signals, line.number('drain-seconds', 10, { most: 3600 }) * 1000);
    return 0;
  },
};

async function cloudOptions(line: CommandLine, io: Io): Promise<CloudOptions> {
  const stateDir = line.text('state') ?? '.kerf';
  const providers = line.texts('provider');
  return {
    modelsDir: line.required('models'),
    stateDir,
    host: line.text('host') ?? '127.0.0.1',
    port: line.number('port', 8443, { most: 65_535 }),
    tls: tlsOptions(line),
    auth: await authOptions(line, stateDir),
    preload: line.texts('preload'),
    traces: line.text('otlp') === undefined ? null : { endpoint: line.required('otlp') },
    ...(providers.length > 0 ? { providers } : {}),
    threads: line.number('threads', 1, { least: 1, most: 1024 }),
    optimizationLevel: line.choice('level', LEVELS, 'all'),
    limits: {
      workersPerModel: line.number('workers', 1, { least: 1, most: 64 }),
      maxWorkerRssBytes: line.number('max-worker-mb', 0, { most: 10_000_000 }) * 1024 * 1024,
    },
    queue: { admission: !line.flag('accept-late') },
    batching: batchingOptions(line),
    log: line.flag('json') ? (event) => io.print(JSON.stringify(event)) : plainLog(io),
  };
}

function batchingOptions(line: CommandLine): NonNullable<CloudOptions['batching']> {
  const maxRows = line.number('max-batch', 16, { least: 1, most: 1024 });
  const maxDelayMs = line.number('max-delay-ms', 2, { most: 10_000, whole: false });
  const tolerance = line.number('batch-tolerance', 0, { most: 1, whole: false });
  return { enabled: maxRows > 1, maxRows, maxDelayMs, tolerance };
}

function tlsOptions(line: CommandLine): TlsOptions {
  const host = line.text('host');
  if (line.flag('no-tls') && host !== undefined && !isLoopback(host)) {
    throw usageError('--no-tls is for this machine alone: leave it out, or put a proxy on this machine that ends TLS');
  }
  const certPath = line.text('cert');
  const keyPath = line.text('cert-key');
  if (line.flag('no-tls')) return { kind: 'insecure' };
  if (certPath === undefined && keyPath === undefined) return { kind: 'development', hosts: line.texts('cert-host') };
  if (certPath === undefined || keyPath === undefined) throw usageError('--cert and --cert-key go together');
  return { kind: 'files', certPath, keyPath };
}

/** Without a named key the state folder's own pair is used, made on first start. */
async function authOptions(line: CommandLine, stateDir: string): Promise<AuthOptions> {
  const origins = line.texts('origin');
  if (line.flag('no-auth')) return { kind: 'none', origins };
  if (origins.length > 0) throw usageError('--origin goes with --no-auth; with tokens, pages from anywhere need one');
  const audience = line.text('audience') ?? DEFAULT_AUDIENCE;
  const named = line.texts('public-key');
  const revokedPath = line.text('revoked');
  const revoked = revokedPath === undefined ? {} : { revokedPath };
  if (named.length > 0) return { kind: 'token', publicKeyPaths: named, audience, ...revoked };
  const own = join(stateDir, PUBLIC_KEY_FILE);
  if (!existsSync(own)) await writeTokenKeys(stateDir);
  return { kind: 'token', publicKeyPaths: [own], audience, ...revoked };
}

/** What a person wants to see; `--json` has everything. */
function plainLog(io: Io): Log {
  return ({ level, event, ...fields }) => {
    if (level === 'debug') return;
    const detail = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    io.print(`${new Date().toISOString()} ${level.padEnd(5)} ${event} ${detail.join(' ')}`.trimEnd());
  };
}

function announce(cloud: Cloud, line: CommandLine, io: Io): void {
  const { url, port, certificatePath } = cloud;
  if (line.flag('json')) {
    io.print(JSON.stringify({ level: 'info', event: 'listening', url, port, certificatePath }));
    return;
  }
  io.print(`kerf cloud at ${url}`);
  if (certificatePath !== null) io.print(`  edges trust it with --ca ${certificatePath}`);
  if (!line.flag('no-auth') && line.texts('public-key').length === 0) {
    const key = join(line.text('state') ?? '.kerf', PRIVATE_KEY_FILE);
    io.print(`  a token: kerf token issue --key ${key} --subject my-device --models '*'`);
  }
  io.print('  stop with Ctrl-C: frames in flight are answered first');
}

interface Signals {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
}

function watchSignals(): Signals {
  const tell: (() => void)[] = [];
  const next = (): Promise<void> => new Promise((resolve) => tell.push(resolve));
  const [first, second] = [next(), next()];
  const onSignal = (): void => tell.shift()?.();
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return { first, second };
}

/** Resolves when the cloud is down. A second signal does not wait. */
async function drainOnSignal(cloud: Cloud, { first, second }: Signals, graceMs: number): Promise<void> {
  await first;
  await Promise.race([cloud.drain(graceMs), second]);
  await cloud.close();
}
