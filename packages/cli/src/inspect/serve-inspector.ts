// A station's service -> the Inspector's page on addresses that only their readers know.
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BRIDGE_SUBPROTOCOL, type InspectorService, MAX_ENVELOPE_BYTES, type Role, serveBridge } from '@kerf/bridge';
import { wsTransport } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { pageUrl } from '../addresses.ts';
import { type Route, startPageServer } from '../page-server.ts';
import type { InspectorAccess } from './inspector-access.ts';

export interface ServeInspectorOptions extends Pick<InspectorAccess, 'host' | 'hosts' | 'port' | 'tls' | 'keys'> {
  /** Of faults in the service that are no KerfError. */
  readonly onError: (error: unknown) => void;
}

export interface InspectorAddress {
  readonly role: Role;
  readonly url: string;
}

export interface ServedInspector {
  /** One for each role and name of this machine; the first is that of the first role. */
  readonly addresses: readonly InspectorAddress[];
  close(): Promise<void>;
}

/** @throws {KerfError} INVALID_ARGUMENT when the address cannot be listened on; FILE_NOT_FOUND when the page was not built. */
export async function serveInspector(
  service: InspectorService,
  { host, hosts, port, tls, keys, onError }: ServeInspectorOptions,
): Promise<ServedInspector> {
  const roles = new Map([...keys].map(([role, secret]) => [secret, role]));
  const server = await startPageServer({
    host,
    port,
    tls,
    secrets: [...keys.values()],
    routes: await rendererRoutes(),
    socket: {
      path: 'bridge',
      subprotocol: BRIDGE_SUBPROTOCOL,
      maxMessageBytes: MAX_ENVELOPE_BYTES,
      accept: (socket, secret, from) => {
        const role = roles.get(secret) as Role;
        // What is recorded as somebody's doing says from where.
        const name = tls === null ? role : `${role} at ${from.replace(/^::ffff:/, '')}`;
        serveBridge(wsTransport(socket), service, { name, role }, onError);
      },
    },
  });
  const addresses = [...keys].flatMap(([role, secret]) =>
    hosts.map((name) => ({ role, url: pageUrl(name, server.port, secret, tls !== null) })),
  );
  return { addresses, close: () => server.close() };
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
