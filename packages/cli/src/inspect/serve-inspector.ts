// A station's service -> the Inspector's page on an address that only its reader knows.
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BRIDGE_SUBPROTOCOL, type InspectorService, MAX_ENVELOPE_BYTES, type Role, serveBridge } from '@kerf/bridge';
import { wsTransport } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { type Route, startPageServer } from '../page-server.ts';

export interface ServeInspectorOptions {
  readonly host: string;
  readonly port: number;
  /** PEM texts; null serves plain http, for this machine only. */
  readonly tls: { readonly certPem: string; readonly keyPem: string } | null;
  /** What whoever has the address may do. */
  readonly role: Role;
  /** Of faults in the service that are no KerfError. */
  readonly onError: (error: unknown) => void;
}

export interface ServedInspector {
  readonly url: string;
  close(): Promise<void>;
}

/** @throws {KerfError} INVALID_ARGUMENT when the address cannot be listened on; FILE_NOT_FOUND when the page was not built. */
export async function serveInspector(
  service: InspectorService,
  { host, port, tls, role, onError }: ServeInspectorOptions,
): Promise<ServedInspector> {
  const secret = randomBytes(18).toString('base64url');
  const server = await startPageServer({
    host,
    port,
    tls,
    secret,
    routes: await rendererRoutes(),
    socket: {
      path: 'bridge',
      subprotocol: BRIDGE_SUBPROTOCOL,
      maxMessageBytes: MAX_ENVELOPE_BYTES,
      accept: (socket) => serveBridge(wsTransport(socket), service, { name: role, role }, onError),
    },
  });
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return {
    url: `${tls === null ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${server.port}/${secret}/`,
    close: () => server.close(),
  };
}

async function rendererRoutes(): Promise<Map<string, Route>> {
  const inspector = dirname(createRequire(import.meta.url).resolve('@kerf/inspector/package.json'));
  const folder = join(inspector, 'dist/renderer');
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', "the Inspector is not built: run 'npm run build'", { cause });
  });
  const routes = new Map<string, Route>(
    names.map((name) => [name, { kind: 'file', path: join(folder, name), cache: false }]),
  );
  routes.set('', { kind: 'file', path: join(folder, 'index.html'), cache: false });
  return routes;
}
