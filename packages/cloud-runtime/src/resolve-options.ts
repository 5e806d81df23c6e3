// What the caller of startCloud passes -> checked options with every default filled in.
import { DEFAULT_WIRE_LIMITS, isLoopback, type OptimizationLevel, parseUrl } from '@kerf/protocol';
import {
  type BatchingOptions,
  DEFAULT_BATCHING,
  DEFAULT_CLOUD_LIMITS,
  DEFAULT_QUEUE,
  type QueueOptions,
} from './limits.ts';
import { flag, invalid, knownKeys, numbers, text, texts, whole } from './option-values.ts';
import type { AuthOptions, CloudOptions, ResolvedCloudOptions, TlsOptions, TraceOptions } from './options.ts';

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

/** As browsers write it: no path, nothing that an origin would never equal. */
function originOf(text: string): string {
  const url = parseUrl(text);
  if (url === null || url.origin !== text)
    throw invalid('auth.origins', `origins such as https://station.example, not '${text}'`);
  return text;
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
      knownKeys(auth, ['kind', 'origins'], 'auth');
      return { kind: 'none', origins: texts(auth.origins ?? [], 'auth.origins').map(originOf) };
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
