// Options -> a running registry: database, blobs, background work, port; and its orderly end.
import type { ServerCertificate, VerifyToken } from '@kerf/access';
import type { FormatVersion } from '@kerf/delta-sync';
import { KerfError, messageOf } from '@kerf/protocol';
import type { BlobStore } from './blobs/blob-store.ts';
import { type RegistryContext, systemIds } from './context.ts';
import { DeltaDesk } from './deltas/delta-desk.ts';
import { CheckDesk } from './fleet/check.ts';
import { ApiServer, type RegistryLog } from './http/api-server.ts';
import { openApiOf } from './http/openapi.ts';
import type { Route } from './http/route.ts';
import { DEFAULT_REGISTRY_LIMITS, type RegistryLimits } from './options.ts';
import { pinFirstRoot } from './releases/publish.ts';
import { tickRollouts } from './rollout/offers.ts';
import { StageTotals } from './rollout/totals.ts';
import { auditRoutes } from './routes/audit-routes.ts';
import { deltaRoutes } from './routes/delta-routes.ts';
import { deviceRoutes } from './routes/device-routes.ts';
import { fleetRoutes } from './routes/fleet-routes.ts';
import { publishingRoutes } from './routes/publishing-routes.ts';
import { releaseRoutes } from './routes/release-routes.ts';
import { repositoryRoutes } from './routes/repository-routes.ts';
import { rolloutRoutes } from './routes/rollout-routes.ts';
import { serviceRoutes } from './routes/service-routes.ts';
import type { Database } from './store/database.ts';
import { migrate } from './store/migrations.ts';

/** Options of {@link startRegistry}. Times in milliseconds, sizes in bytes. */
export interface RegistryOptions {
  /** Closed with the registry. */
  readonly database: Database;
  readonly blobs: BlobStore;
  /** For files while deltas are made of them. */
  readonly workFolder: string;
  readonly verify: VerifyToken;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes a free one. @default 8480 */
  readonly port?: number;
  /** Null: plain text, on loopback only unless `allowInsecureRemote`. */
  readonly certificate: ServerCertificate | null;
  /** For a proxy in front that ends TLS. @default false */
  readonly allowInsecureRemote?: boolean;
  /** The first root.json, where trust begins; null: the first one that is published is believed. @default null */
  readonly firstRoot?: Uint8Array | null;
  readonly limits?: Partial<RegistryLimits>;
  /** The newest version of the format of deltas that are made here: 1 for devices whose kerf reads no other. @default the last */
  readonly deltaFormat?: FormatVersion;
  /** Milliseconds since 1970. @default Date.now */
  readonly wallNowMs?: () => number;
  /** @default nobody is told */
  readonly log?: RegistryLog;
}

export interface Registry {
  readonly url: string;
  readonly port: number;
  /** Answers what has begun, for up to `graceMs`, writes what waits, and closes the database. */
  close(graceMs?: number): Promise<void>;
}

const DEFAULT_GRACE_MS = 10_000;
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/** @throws {KerfError} INVALID_ARGUMENT, STORE_FAILED, VERSION_UNSUPPORTED. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const { database, blobs, certificate, host = '127.0.0.1', port = 8480, log = () => {} } = options;
  if (certificate === null && !LOOPBACK.has(host) && options.allowInsecureRemote !== true) {
    throw new KerfError('INVALID_ARGUMENT', `credentials would cross the network readable on ${host}: use TLS`);
  }
  await migrate(database);
  if (options.firstRoot) await pinFirstRoot(database, options.firstRoot, (options.wallNowMs ?? Date.now)());
  const context: RegistryContext = {
    database,
    limits: { ...DEFAULT_REGISTRY_LIMITS, ...options.limits },
    wallNowMs: options.wallNowMs ?? Date.now,
    newId: systemIds,
  };
  const desk = new CheckDesk(context);
  const totals = new StageTotals();
  const deltas = new DeltaDesk(context, blobs, options.workFolder, log, options.deltaFormat ?? null);
  const pump = (): void => void deltas.pump().catch(failedQuietly(log, 'deltas-failed'));
  const routes = registryRoutes({ context, blobs, desk, totals, onAsked: pump });
  const server = new ApiServer({ context, routes, verify: options.verify, host, port, certificate, log });
  const bound = await server.listen();
  const stop = startTicking(context, desk, totals, pump, log);
  pump();
  return {
    url: `${certificate === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    async close(graceMs = DEFAULT_GRACE_MS) {
      await server.close(graceMs);
      await stop();
      await deltas.close();
      await desk.flush();
      await database.close();
    },
  };
}

export interface RouteParts {
  readonly context: RegistryContext;
  readonly blobs: BlobStore;
  readonly desk: CheckDesk;
  readonly totals: StageTotals;
  /** A delta was asked for. */
  readonly onAsked: () => void;
}

/** The whole API. */
export function registryRoutes({ context, blobs, desk, totals, onAsked }: RouteParts): readonly Route[] {
  const routes: Route[] = [
    ...serviceRoutes(context, () => openApiOf(routes)),
    ...repositoryRoutes(context, blobs, onAsked),
    ...publishingRoutes(context, blobs),
    ...deltaRoutes(context, onAsked),
    ...releaseRoutes(context),
    ...deviceRoutes(context, desk),
    ...fleetRoutes(context, desk),
    ...rolloutRoutes(context, desk, totals, onAsked),
    ...auditRoutes(context),
  ];
  return routes;
}

/** What time moves: rollouts, sightings, deltas whose maker is gone. One round after the other. */
function startTicking(
  context: RegistryContext,
  desk: CheckDesk,
  totals: StageTotals,
  pump: () => void,
  log: RegistryLog,
): () => Promise<void> {
  const { tickMs, seenFlushMs } = context.limits;
  let round: Promise<void> = Promise.resolve();
  const every = (ms: number, work: () => Promise<void>): NodeJS.Timeout =>
    setInterval(() => {
      round = round.then(work).catch(failedQuietly(log, 'tick-failed'));
    }, ms);
  const timers = [
    every(tickMs, async () => {
      await tickRollouts(context, totals);
      desk.forget();
      pump();
    }),
    every(seenFlushMs, () => desk.flush()),
  ];
  return async () => {
    timers.forEach(clearInterval);
    await round;
  };
}

function failedQuietly(log: RegistryLog, event: string): (error: unknown) => void {
  return (error) => log({ event, message: messageOf(error) });
}
