// What the caller of startCloud passes -> checked options with every default filled in.
import { DEFAULT_WIRE_LIMITS, KerfError, type OptimizationLevel, type WireLimits } from '@kerf/protocol';
import type { Log } from './log.ts';

/** How the cloud proves who it is. */
export type TlsOptions =
  /** A certificate made on first start, kept in `stateDir`; for development and closed networks. */
  | { readonly kind: 'development'; readonly hosts?: readonly string[] }
  /** PEM files; the certificate file holds the chain. */
  | { readonly kind: 'files'; readonly certPath: string; readonly keyPath: string }
  /** No encryption. Tokens and data can be read by everyone on the way. */
  | { readonly kind: 'insecure' };

/** Who may use the cloud. */
export type AuthOptions =
  | {
      readonly kind: 'token';
      /** SPKI PEM file of the issuer's Ed25519 public key, or several of them while keys are changed. */
      readonly publicKeyPaths: readonly string[];
      readonly audience: string;
      readonly issuer?: string;
      /** File of revoked tokens and subjects, one a line; read again when it changes. */
      readonly revokedPath?: string;
    }
  /** Everyone who can connect may use every model. */
  | { readonly kind: 'none' };

/** Options of {@link startCloud}. Times in milliseconds, sizes in bytes. */
export interface CloudOptions {
  /** Folder whose sub-folders are the models. */
  readonly modelsDir: string;
  /** Folder for the development certificate. @default '.kerf' */
  readonly stateDir?: string;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes a free port. @default 8443 */
  readonly port?: number;
  /** Permits `tls: insecure` on a host other than loopback. @default false */
  readonly allowInsecureRemote?: boolean;
  /** @default { kind: 'development' } */
  readonly tls?: TlsOptions;
  readonly auth: AuthOptions;
  /** Where `/metrics` and `/v2/health/*` are served in plain HTTP besides; null: `/metrics` on the main port. @default null */
  readonly metrics?: { readonly host?: string; readonly port: number } | null;
  /** Where spans of frames that carry a sampled trace go, as OTLP over HTTP; null: nowhere. @default null */
  readonly traces?: TraceOptions | null;
  /** Models loaded before the cloud reports itself ready. @default [] */
  readonly preload?: readonly string[];
  /**
   * Tried in order until one takes the model and gets its samples right: `cpu`, `cuda`, `tensorrt`, `webgpu`, `dml`
   * (DirectML), `coreml`, where the platform has them. @default ['cpu']
   */
  readonly providers?: readonly string[];
  /** Threads within one operator. @default 1 */
  readonly threads?: number;
  /** @default 'all' */
  readonly optimizationLevel?: OptimizationLevel;
  readonly wire?: Partial<WireLimits>;
  readonly limits?: Partial<CloudLimits>;
  readonly batching?: Partial<BatchingOptions>;
  readonly queue?: Partial<QueueOptions>;
  /** @default () => {} */
  readonly log?: Log;
}

/** A collector of traces. */
export interface TraceOptions {
  /** Such as `http://localhost:4318`. */
  readonly endpoint: string;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Every bound of the cloud in one place, each with its unit and its reason. */
export interface CloudLimits {
  /** TCP connections of all kinds. A process has a limit of open files. */
  readonly maxConnections: number;
  /** Connections that have not shown a token yet. Strangers cannot take all of the places. */
  readonly maxUnauthenticated: number;
  /** Bytes a connection may send before its token is accepted. A token is at most 8 KiB. */
  readonly maxGreetingBytes: number;
  /** From the connection to the accepted `hello`. */
  readonly greetingTimeoutMs: number;
  /** A link that stays silent this long is asked with a ping; after three times as long it is dropped. */
  readonly pingIntervalMs: number;
  /** Bytes that wait for a slow reader; beyond, its link is dropped. */
  readonly maxBufferedBytes: number;
  /** Sessions open on one link at a time. */
  readonly maxSessionsPerLink: number;
  /** Sessions of all links, those waiting to be resumed included. */
  readonly maxSessions: number;
  /** Frames of one session that may be in flight. */
  readonly credits: number;
  /** Frames waiting for one model. */
  readonly maxQueuedFrames: number;
  /** Bytes of all frames that wait or run, and of answers to probes that wait for their reader. */
  readonly maxInFlightBytes: number;
  /** Bytes of JSON in one HTTP request. Binary tensors behind it are bounded as messages are. */
  readonly maxJsonBytes: number;
  /** Bytes of filler in the probes of one link and in their answers. A measurement takes up to 100 MB. */
  readonly maxProbeBytesPerLink: number;
  /** Longest deadline that a frame is given, whatever it asks. */
  readonly maxDeadlineMs: number;
  /** How long a session's answers are kept after its link was lost. */
  readonly resumeWindowMs: number;
  /** Bytes of answers kept for one session. */
  readonly maxKeptBytesPerSession: number;
  /** Bytes of answers kept for all sessions. */
  readonly maxKeptBytes: number;
  /** Models loaded at a time; the one unused longest makes room. */
  readonly maxLoadedModels: number;
  /** Bytes of the files of loaded models. */
  readonly maxLoadedBytes: number;
  /** A model that no session uses is unloaded after this; 0 keeps it. */
  readonly idleUnloadMs: number;
  /** How often a newer release of a preloaded model is looked for. */
  readonly releasePollMs: number;
  /** Worker processes of one model. */
  readonly workersPerModel: number;
  /** A model that is not loaded after this is given up. */
  readonly loadTimeoutMs: number;
  /** Runs of every batch size before a worker is ready end after this; 0: none are made. */
  readonly warmUpMs: number;
  /** A run that takes longer has hung: its worker is killed. */
  readonly runTimeoutMs: number;
  /** Resident bytes at which a worker is replaced by a fresh one; 0: no bound. */
  readonly maxWorkerRssBytes: number;
  /** Growth of a worker's memory over its first seconds of traffic, as a share, at which it is replaced; 0: no bound. */
  readonly maxWorkerGrowth: number;
  /** Shared memory of one worker and direction for payloads; 0 sends them through the pipe. */
  readonly workerSpoolBytes: number;
  /** Bytes of a tensor that an image is decoded into. */
  readonly maxDecodedImageBytes: number;
}

export interface BatchingOptions {
  readonly enabled: boolean;
  /** Rows (first axis) of one run. */
  readonly maxRows: number;
  /** Longest that a frame waits for company while others are under way. */
  readonly maxDelayMs: number;
  /** Largest difference, absolute or relative to the value, at which a batch counts as equal to single runs; 0: bit-equal. */
  readonly tolerance: number;
  /** A batch must take at most this share of the time of single runs, else it only makes frames wait for each other. */
  readonly maxTimeShare: number;
  /** Every so many batches one is checked against single runs again. */
  readonly recheckEvery: number;
}

/** In which order frames wait, and which are refused at once. */
export interface QueueOptions {
  /** Levels of urgency. Level 1 is served first. */
  readonly priorityLevels: number;
  /** The level of a frame that asks for priority 0, or for none that is there. */
  readonly defaultPriority: number;
  /** A frame counts as due after this, however far its deadline is; below the first level it is then served in turn. */
  readonly patienceMs: number;
  /** Refuses a frame at once whose answer, as runs take now, would come after its deadline. */
  readonly admission: boolean;
}

export const DEFAULT_QUEUE: QueueOptions = Object.freeze({
  priorityLevels: 5,
  defaultPriority: 3,
  patienceMs: 1000,
  admission: true,
});

export const DEFAULT_CLOUD_LIMITS: CloudLimits = Object.freeze({
  maxConnections: 10_000,
  maxUnauthenticated: 256,
  maxGreetingBytes: 64 * 1024,
  greetingTimeoutMs: 10_000,
  pingIntervalMs: 15_000,
  maxBufferedBytes: 128 * 1024 * 1024,
  maxSessionsPerLink: 64,
  maxSessions: 10_000,
  credits: 16,
  maxQueuedFrames: 1024,
  maxInFlightBytes: 1024 * 1024 * 1024,
  maxJsonBytes: 16 * 1024 * 1024,
  maxProbeBytesPerLink: 256 * 1024 * 1024,
  maxDeadlineMs: 10 * 60_000,
  resumeWindowMs: 30_000,
  maxKeptBytesPerSession: 64 * 1024 * 1024,
  maxKeptBytes: 512 * 1024 * 1024,
  maxLoadedModels: 16,
  maxLoadedBytes: 16 * 1024 * 1024 * 1024,
  idleUnloadMs: 10 * 60_000,
  releasePollMs: 2000,
  workersPerModel: 1,
  loadTimeoutMs: 120_000,
  warmUpMs: 10_000,
  runTimeoutMs: 30_000,
  maxWorkerRssBytes: 0,
  maxWorkerGrowth: 2,
  workerSpoolBytes: 32 * 1024 * 1024,
  maxDecodedImageBytes: 256 * 1024 * 1024,
});

export const DEFAULT_BATCHING: BatchingOptions = Object.freeze({
  enabled: true,
  maxRows: 16,
  maxDelayMs: 2,
  tolerance: 0,
  maxTimeShare: 0.95,
  recheckEvery: 256,
});

/** Limits that may be zero; every other one is at least 1. */
const MAY_BE_ZERO = new Set<string>([
  'idleUnloadMs',
  'workerSpoolBytes',
  'resumeWindowMs',
  'warmUpMs',
  'maxWorkerRssBytes',
  'maxDelayMs',
  'tolerance',
]);
/** Limits that need not be whole; each may be zero. */
const FRACTIONS = new Set<string>(['tolerance', 'maxDelayMs', 'maxTimeShare', 'maxWorkerGrowth']);
/** Timers of Node hold 31 bits of milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Options with every default filled in. */
export interface ResolvedCloudOptions {
  readonly modelsDir: string;
  readonly stateDir: string;
  readonly host: string;
  readonly port: number;
  readonly allowInsecureRemote: boolean;
  readonly tls: TlsOptions;
  readonly auth: AuthOptions;
  readonly metrics: { readonly host: string; readonly port: number } | null;
  readonly traces: TraceOptions | null;
  readonly preload: readonly string[];
  readonly providers: readonly string[];
  readonly threads: number;
  readonly optimizationLevel: OptimizationLevel;
  readonly wire: WireLimits;
  readonly limits: CloudLimits;
  readonly batching: BatchingOptions;
  readonly queue: QueueOptions;
  readonly log: Log;
}

const OPTION_NAMES = [
  'modelsDir',
  'stateDir',
  'host',
  'port',
  'allowInsecureRemote',
  'tls',
  'auth',
  'metrics',
  'traces',
  'preload',
  'providers',
  'threads',
  'optimizationLevel',
  'wire',
  'limits',
  'batching',
  'queue',
  'log',
] as const satisfies readonly (keyof CloudOptions)[];

const LEVELS: readonly OptimizationLevel[] = ['disabled', 'basic', 'extended', 'all'];

/** @throws {KerfError} INVALID_ARGUMENT that names the option. */
export function resolveCloudOptions(options: CloudOptions): ResolvedCloudOptions {
  knownKeys(options, OPTION_NAMES, 'options');
  const optimizationLevel = options.optimizationLevel ?? 'all';
  if (!LEVELS.includes(optimizationLevel)) throw invalid('optimizationLevel', `one of ${LEVELS.join(', ')}`);
  const providers = providersOf(options.providers ?? ['cpu']);
  const resolved: ResolvedCloudOptions = {
    modelsDir: text(options.modelsDir, 'modelsDir'),
    stateDir: text(options.stateDir ?? '.kerf', 'stateDir'),
    host: text(options.host ?? '127.0.0.1', 'host'),
    port: whole(options.port ?? 8443, 'port', 0, 65_535),
    allowInsecureRemote: flag(options.allowInsecureRemote ?? false, 'allowInsecureRemote'),
    tls: tlsOf(options.tls ?? { kind: 'development' }),
    auth: authOf(options.auth),
    metrics: metricsOf(options.metrics ?? null),
    traces: tracesOf(options.traces ?? null),
    preload: texts(options.preload ?? [], 'preload'),
    providers,
    threads: whole(options.threads ?? 1, 'threads', 1, 1024),
    optimizationLevel,
    wire: numbers(DEFAULT_WIRE_LIMITS, options.wire ?? {}, 'wire'),
    limits: numbers(DEFAULT_CLOUD_LIMITS, options.limits ?? {}, 'limits'),
    batching: batchingOf(options.batching ?? {}),
    queue: queueOf(options.queue ?? {}),
    log: options.log ?? (() => {}),
  };
  if (typeof resolved.log !== 'function') throw invalid('log', 'a function');
  if (resolved.tls.kind === 'insecure' && !isLoopback(resolved.host) && !resolved.allowInsecureRemote) {
    throw invalid('tls', `encrypted on host '${resolved.host}'; without TLS the cloud serves loopback only`);
  }
  return resolved;
}

/** ONNX Runtime's names, with what people call them. */
const PROVIDERS = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'dml', 'coreml'];
const PROVIDER_ALIASES = new Map([
  ['directml', 'dml'],
  ['trt', 'tensorrt'],
]);

function providersOf(given: readonly string[]): readonly string[] {
  const names = texts(given, 'providers').map((name) => PROVIDER_ALIASES.get(name.toLowerCase()) ?? name.toLowerCase());
  const strange = names.find((name) => !PROVIDERS.includes(name));
  if (names.length === 0 || strange !== undefined) throw invalid('providers', `one or more of ${PROVIDERS.join(', ')}`);
  return names;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function tlsOf(tls: TlsOptions): TlsOptions {
  switch (tls?.kind) {
    case 'development':
      knownKeys(tls, ['kind', 'hosts'], 'tls');
      return { kind: 'development', hosts: texts(tls.hosts ?? [], 'tls.hosts') };
    case 'files':
      knownKeys(tls, ['kind', 'certPath', 'keyPath'], 'tls');
      return { kind: 'files', certPath: text(tls.certPath, 'tls.certPath'), keyPath: text(tls.keyPath, 'tls.keyPath') };
    case 'insecure':
      knownKeys(tls, ['kind'], 'tls');
      return tls;
    default:
      throw invalid('tls.kind', "'development', 'files' or 'insecure'");
  }
}

function authOf(auth: AuthOptions): AuthOptions {
  switch (auth?.kind) {
    case 'token': {
      knownKeys(auth, ['kind', 'publicKeyPaths', 'audience', 'issuer', 'revokedPath'], 'auth');
      const publicKeyPaths = texts(auth.publicKeyPaths, 'auth.publicKeyPaths');
      if (publicKeyPaths.length === 0) throw invalid('auth.publicKeyPaths', 'at least one file');
      const issuer = auth.issuer === undefined ? {} : { issuer: text(auth.issuer, 'auth.issuer') };
      const revoked = auth.revokedPath === undefined ? {} : { revokedPath: text(auth.revokedPath, 'auth.revokedPath') };
      return { kind: 'token', publicKeyPaths, audience: text(auth.audience, 'auth.audience'), ...issuer, ...revoked };
    }
    case 'none':
      knownKeys(auth, ['kind'], 'auth');
      return auth;
    default:
      throw invalid('auth.kind', "'token' or 'none'");
  }
}

function metricsOf(metrics: CloudOptions['metrics']): ResolvedCloudOptions['metrics'] {
  if (metrics === null || metrics === undefined) return null;
  knownKeys(metrics, ['host', 'port'], 'metrics');
  const port = whole(metrics.port, 'metrics.port', 0, 65_535);
  return { host: text(metrics.host ?? '127.0.0.1', 'metrics.host'), port };
}

function tracesOf(traces: TraceOptions | null): TraceOptions | null {
  if (traces === null) return null;
  knownKeys(traces, ['endpoint', 'headers'], 'traces');
  const headers = Object.entries(traces.headers ?? {});
  for (const [name, value] of headers) text(value, `traces.headers.${name}`);
  return { endpoint: text(traces.endpoint, 'traces.endpoint'), headers: Object.fromEntries(headers) };
}

function batchingOf(given: Partial<BatchingOptions>): BatchingOptions {
  const { enabled: defaultEnabled, ...defaults } = DEFAULT_BATCHING;
  knownKeys(given, Object.keys(DEFAULT_BATCHING), 'batching');
  const { enabled = defaultEnabled, ...rest } = given;
  return { enabled: flag(enabled, 'batching.enabled'), ...numbers(defaults, rest, 'batching') };
}

function queueOf(given: Partial<QueueOptions>): QueueOptions {
  const { admission: defaultAdmission, ...defaults } = DEFAULT_QUEUE;
  knownKeys(given, Object.keys(DEFAULT_QUEUE), 'queue');
  const { admission = defaultAdmission, ...rest } = given;
  const queue = { admission: flag(admission, 'queue.admission'), ...numbers(defaults, rest, 'queue') };
  if (queue.defaultPriority > queue.priorityLevels) throw invalid('queue.defaultPriority', 'one of the levels');
  return queue;
}

/** `defaults` with what is `given`, each checked: whole numbers, but for delays and tolerances. */
function numbers<T extends object>(defaults: T, given: Partial<T>, where: string): T {
  knownKeys(given, Object.keys(defaults), where);
  const merged: Record<string, unknown> = Object.fromEntries(Object.entries(defaults));
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const least = MAY_BE_ZERO.has(key) ? 0 : 1;
    const most = key.endsWith('Ms') ? MAX_TIMER_MS : Number.MAX_SAFE_INTEGER;
    if (FRACTIONS.has(key)) {
      if (typeof value !== 'number' || !(value >= 0) || value > most) throw invalid(`${where}.${key}`, 'a number >= 0');
      merged[key] = value;
    } else {
      merged[key] = whole(value, `${where}.${key}`, least, most);
    }
  }
  return Object.freeze(merged) as T;
}

function knownKeys(value: object | undefined, known: readonly string[], where: string): void {
  if (typeof value !== 'object' || value === null) throw invalid(where, 'an object');
  const stray = Object.keys(value).find((key) => !known.includes(key));
  if (stray !== undefined) {
    throw new KerfError('INVALID_ARGUMENT', `unknown option '${stray}' in ${where}; known are ${known.join(', ')}`);
  }
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(name, 'a text');
  return value;
}

function texts(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value)) throw invalid(name, 'a list of texts');
  return value.map((entry) => text(entry, name));
}

function flag(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw invalid(name, 'true or false');
  return value;
}

function whole(value: unknown, name: string, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw invalid(name, `a whole number from ${least} to ${most}`);
  }
  return value as number;
}

function invalid(name: string, wanted: string): KerfError {
  return new KerfError('INVALID_ARGUMENT', `option '${name}' must be ${wanted}`);
}
