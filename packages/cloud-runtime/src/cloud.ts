// Options -> a running cloud: certificate, keys, models, port; and its orderly end.
import {
  anyoneMay,
  certificateFromFiles,
  developmentCertificate,
  readPublicKey,
  type ServerCertificate,
  tokenVerifier,
  type VerifyToken,
} from '@kerf/access';
import { KerfError, SpanExporter, systemClock } from '@kerf/protocol';
import { Revocations } from './auth/revocations.ts';
import { guardedLog, type Log } from './log.ts';
import { meterOf, runnerOf } from './make-runner.ts';
import { ModelCatalog, type ModelFiles, type Release } from './models/catalog.ts';
import { ModelPool } from './models/model-pool.ts';
import type { ModelRunner } from './models/model-runner.ts';
import { PinnedModels } from './models/pinned-models.ts';
import { frameTracer } from './observe/frame-tracer.ts';
import { OipServer } from './oip/oip-server.ts';
import { StatisticsBook } from './oip/statistics.ts';
import type { AuthOptions, CloudOptions, ResolvedCloudOptions } from './options.ts';
import { resolveCloudOptions } from './resolve-options.ts';
import { Gateway, listenForMetrics } from './server/gateway.ts';
import type { LinkContext } from './server/link-context.ts';
import { type CloudMetrics, cloudMetrics } from './server/metrics.ts';
import { pageOrigins } from './server/page-origins.ts';
import { ByteBudget } from './session/byte-budget.ts';
import { SessionStore } from './session/session-store.ts';
import { AnswerBuffers } from './worker/answer-buffers.ts';

/** A cloud that is serving. */
export interface Cloud {
  /** `wss://host:port` (or `ws://` without TLS). */
  readonly url: string;
  readonly port: number;
  /** Port of the plain HTTP server for metrics; null when there is none. */
  readonly metricsPort: number | null;
  /** Certificate file that an edge has to trust; null without TLS. */
  readonly certificatePath: string | null;
  /** Process ids of the workers, for operators. */
  readonly workerPids: readonly number[];
  /** Lets frames in flight be answered for up to `graceMs` while nothing new is opened, then closes. */
  drain(graceMs: number): Promise<void>;
  /** Ends at once: links are closed, workers killed. */
  close(): Promise<void>;
}

const VERSION = '0.1.0';
const AGENT = `kerf-cloud/${VERSION}`;
/** How long edges may take for the closing handshake. */
const CLOSE_PATIENCE_MS = 1000;
/** A link without frames in flight may have one on the way: it is given this long before it is closed. */
const QUIET_MS = 1000;
const DRAIN_CHECK_MS = 20;
/** Links are told to go one after the other: 500 handshakes a second are what a replica takes in its stride. */
const MS_PER_LEAVING_LINK = 2;

/**
 * Starts the cloud.
 * @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND, and what loading a model to preload says.
 */
export async function startCloud(given: CloudOptions): Promise<Cloud> {
  const options = resolveCloudOptions(given);
  const log = guardedLog(options.log);
  const catalog = await ModelCatalog.open(options.modelsDir);
  const { auth } = options;
  const revokedPath = auth.kind === 'token' ? (auth.revokedPath ?? null) : null;
  const [certificate, verify, revocations] = await Promise.all([
    certificateOf(options),
    verifierOf(auth),
    revokedPath === null ? null : Revocations.open(revokedPath, systemClock, log),
  ]);
  const running = new RunningCloud(options, log, catalog, certificate, { verify, revocations });
  await running.start();
  return running;
}

async function certificateOf({ tls, stateDir, host }: ResolvedCloudOptions): Promise<ServerCertificate | null> {
  if (tls.kind === 'insecure') return null;
  if (tls.kind === 'files') return certificateFromFiles(tls.certPath, tls.keyPath);
  const isAnyHost = host === '0.0.0.0' || host === '::';
  return developmentCertificate(stateDir, [...(tls.hosts ?? []), ...(isAnyHost ? [] : [host])]);
}

async function verifierOf(auth: AuthOptions): Promise<VerifyToken> {
  if (auth.kind === 'none') return anyoneMay;
  const keys = await Promise.all(auth.publicKeyPaths.map(readPublicKey));
  return tokenVerifier(keys, auth.audience, auth.issuer);
}

/** What links and HTTP requests have in common. */
type Shared = Omit<LinkContext, 'agent' | 'wallNowMs' | 'isDraining' | 'metrics'>;

interface Doorkeepers {
  readonly verify: VerifyToken;
  readonly revocations: Revocations | null;
}

/** Tokens that hold and have not been revoked. */
function verifierWith({ verify, revocations }: Doorkeepers): VerifyToken {
  if (revocations === null) return verify;
  return async (token) => {
    const grant = await verify(token);
    if (revocations.isRevoked(grant)) throw new KerfError('UNAUTHENTICATED', 'the token was revoked; get another');
    return grant;
  };
}

class RunningCloud implements Cloud {
  url = '';
  port = 0;
  metricsPort: number | null = null;
  readonly certificatePath: string | null;
  readonly #options: ResolvedCloudOptions;
  readonly #log: Log;
  readonly #metrics: CloudMetrics;
  readonly #pool: ModelPool;
  readonly #sessions: SessionStore;
  readonly #gateway: Gateway;
  readonly #pinned: PinnedModels;
  readonly #revocations: Revocations | null;
  readonly #exporter: SpanExporter | null;
  #closeMetrics: () => void = () => {};
  #state: 'starting' | 'ready' | 'draining' | 'closed' = 'starting';
  #draining: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(
    options: ResolvedCloudOptions,
    log: Log,
    catalog: ModelCatalog,
    certificate: ServerCertificate | null,
    doorkeepers: Doorkeepers,
  ) {
    const verify = verifierWith(doorkeepers);
    this.#revocations = doorkeepers.revocations;
    const { limits, wire } = options;
    this.#options = options;
    this.#log = log;
    this.certificatePath = certificate?.certPath ?? null;
    const clock = systemClock;
    const inFlight = new ByteBudget(limits.maxInFlightBytes);
    this.#metrics = cloudMetrics({
      links: () => this.#gateway.links,
      sessions: () => this.#sessions.size,
      inFlightBytes: () => inFlight.used,
      keptAnswerBytes: () => this.#sessions.keptBytes,
      queued: () => this.#pool.loaded.map(({ release, runner }) => ({ release, frames: runner.queued })),
    });
    const buffers = new AnswerBuffers();
    const statistics = new StatisticsBook(Date.now);
    const exporter =
      options.traces === null ? null : new SpanExporter({ ...options.traces, serviceName: 'kerf-cloud', clock });
    this.#exporter = exporter;
    const makeRunner = (files: ModelFiles): ModelRunner =>
      runnerOf(files, options, {
        meter: meterOf(files.release, this.#metrics, statistics),
        trace: exporter === null ? null : frameTracer(exporter, files.release, Math.random, Date.now),
        buffers,
        log,
      });
    const onSuperseded = (release: Release): void => {
      this.#metrics.forget(release);
      statistics.forget(release);
    };
    const onReplaced = (runner: ModelRunner): void => this.#sessions.endReplaced(runner);
    this.#pool = new ModelPool({ catalog, limits, makeRunner, onSuperseded, onReplaced, clock, log });
    this.#pinned = new PinnedModels(this.#pool, limits.releasePollMs, clock, log);
    this.#sessions = new SessionStore({ limits, queue: options.queue, wire, clock, inFlight });
    const shared = { verify, pool: this.#pool, inFlight, limits, wire, clock, log };
    this.#gateway = this.#makeGateway(certificate, { ...shared, sessions: this.#sessions }, statistics);
  }

  #makeGateway(certificate: ServerCertificate | null, shared: Shared, statistics: StatisticsBook): Gateway {
    const { auth, host, port, queue, metrics } = this.#options;
    const isDraining = (): boolean => this.#state === 'draining' || this.#state === 'closed';
    const oip = new OipServer({
      ...shared,
      version: VERSION,
      pinned: this.#pinned,
      queue,
      statistics,
      isDraining,
      onBytes: (received, sent) => {
        this.#metrics.bytesIn.inc(received);
        this.#metrics.bytesOut.inc(sent);
      },
    });
    return new Gateway({
      host,
      port,
      certificate,
      routes: { isReady: () => this.#isReady(), registry: metrics === null ? this.#metrics.registry : null, oip },
      mayCall: auth.kind === 'none' ? pageOrigins(auth.origins ?? []) : () => true,
      link: { ...shared, agent: AGENT, wallNowMs: Date.now, isDraining, metrics: this.#metrics },
    });
  }

  get workerPids(): readonly number[] {
    return this.#pool.loaded.flatMap(({ runner }) => runner.pids);
  }

  async start(): Promise<void> {
    const { host, tls, metrics, preload } = this.#options;
    try {
      this.port = await this.#gateway.listen();
      const scheme = tls.kind === 'insecure' ? 'ws' : 'wss';
      const isAnyHost = host === '0.0.0.0' || host === '::';
      const named = isAnyHost ? 'localhost' : host;
      this.url = `${scheme}://${named.includes(':') ? `[${named}]` : named}:${this.port}`;
      if (metrics !== null) {
        const routes = { isReady: () => this.#isReady(), registry: this.#metrics.registry, oip: null };
        const server = await listenForMetrics(metrics.host, metrics.port, routes);
        this.metricsPort = server.port;
        this.#closeMetrics = () => server.close();
      }
      // Side by side: each takes its time to warm up, and a cloud that was restarted is waited for.
      await Promise.all(preload.map((id) => this.#pinned.pin(id)));
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#revocations?.watch(() => this.#gateway.endRevoked((grant) => this.#revocations?.isRevoked(grant) === true));
    if (this.#state === 'starting') this.#state = 'ready';
    this.#log({ level: 'info', event: 'cloud-ready', url: this.url });
  }

  drain(graceMs: number): Promise<void> {
    if (this.#state === 'closed') return this.close();
    this.#draining ??= this.#drain(graceMs);
    return this.#draining;
  }

  async #drain(graceMs: number): Promise<void> {
    this.#state = 'draining';
    this.#log({ level: 'info', event: 'cloud-draining', graceMs, frames: this.#gateway.pending });
    const spreadMs = Math.min(graceMs / 2, this.#gateway.links * MS_PER_LEAVING_LINK);
    this.#gateway.goAway(graceMs, spreadMs, 'the cloud is going away; connect again');
    await this.#quiet(graceMs, spreadMs);
    await this.close();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = 'closed';
    this.#closeMetrics();
    await this.#gateway.close(CLOSE_PATIENCE_MS);
    this.#pinned.close();
    this.#revocations?.close();
    this.#sessions.closeAll();
    this.#pool.close();
    // A collector that is away does not hold the end up.
    await Promise.race([this.#exporter?.close(), pause(CLOSE_PATIENCE_MS)]);
    this.#log({ level: 'info', event: 'cloud-closed' });
  }

  /** Waits until no connection is left, or nothing was in flight for a moment, or the time is up. */
  async #quiet(graceMs: number, spreadMs: number): Promise<void> {
    const endMs = systemClock.nowMs() + graceMs;
    let busyMs = systemClock.nowMs() + spreadMs;
    for (;;) {
      const nowMs = systemClock.nowMs();
      if (this.#gateway.pending > 0) busyMs = nowMs;
      if (this.#gateway.connections === 0 || nowMs >= endMs || nowMs - busyMs >= QUIET_MS) return;
      await pause(Math.min(DRAIN_CHECK_MS, endMs - nowMs));
    }
  }

  #isReady(): boolean {
    return this.#state === 'ready';
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(ms, resolve);
  });
}
