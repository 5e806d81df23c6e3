// Services of stations -> the Inspector's page on addresses that only their readers know: a page for each, and one over all.
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  BRIDGE_SUBPROTOCOL,
  type InspectorService,
  MAX_ENVELOPE_BYTES,
  type Role,
  relayBridge,
  serveBridge,
} from '@kerf/bridge';
import { wsTransport } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { pageUrl } from '../addresses.ts';
import { type AcceptSocket, type Route, startPageServer } from '../page-server.ts';
import type { InspectorAccess } from './inspector-access.ts';
import { previewPicture } from './preview-picture.ts';
import type { RemoteLine } from './remote-line.ts';

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

/** A station of this process, or the way to one of another. */
export type ServedLine = InspectorService | RemoteLine;

/** @throws {KerfError} INVALID_ARGUMENT when the address cannot be listened on; FILE_NOT_FOUND when the page was not built. */
export async function serveInspector(
  lines: readonly ServedLine[],
  { host, hosts, port, tls, keys, onError }: ServeInspectorOptions,
): Promise<ServedInspector> {
  const files = await rendererFiles();
  const isOne = lines.length === 1;
  // Of several lines each has a page below its number, and the address itself is the page over all of them.
  const folders = isOne ? [''] : lines.map((_, at) => `${at + 1}/`);
  const roles = new Map([...keys].map(([role, secret]) => [secret, role]));
  const accepts =
    (line: ServedLine): AcceptSocket =>
    (socket, secret, from) => {
      const role = roles.get(secret) as Role;
      // What is recorded as somebody's doing says from where.
      const name = tls === null ? role : `${role} at ${from.replace(/^::ffff:/, '')}`;
      const transport = wsTransport(socket);
      if ('connect' in line) relayBridge(transport, line.connect, { name, role }, onError, previewPicture);
      else serveBridge(transport, line, { name, role }, onError);
    };
  const server = await startPageServer({
    host,
    port,
    tls,
    secrets: [...keys.values()],
    routes: new Map<string, Route>([
      ...folders.flatMap((folder) => pageRoutes(files, folder, 'index.html')),
      ...(isOne ? [] : pageRoutes(files, '', 'lines.html')),
      [
        'lines.json',
        { kind: 'json', value: { lines: lines.map((line) => ('connect' in line ? line.machine : null)) } },
      ],
    ]),
    sockets: {
      subprotocol: BRIDGE_SUBPROTOCOL,
      maxMessageBytes: MAX_ENVELOPE_BYTES,
      accept: new Map(lines.map((line, at) => [`${folders[at]}bridge`, accepts(line)])),
    },
  });
  const addresses = [...keys].flatMap(([role, secret]) =>
    hosts.map((name) => ({ role, url: pageUrl(name, server.port, secret, tls !== null) })),
  );
  return { addresses, close: () => server.close() };
}

/** By name. */
async function rendererFiles(): Promise<ReadonlyMap<string, string>> {
  const inspector = dirname(createRequire(import.meta.url).resolve('@kerf/inspector/package.json'));
  const folder = join(inspector, 'dist/renderer');
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', "the Inspector is not built: run 'npm run build'", { cause });
  });
  return new Map(names.map((name) => [name, join(folder, name)]));
}

/** The files below `folder`, which itself is answered by one of them. */
function pageRoutes(files: ReadonlyMap<string, string>, folder: string, page: string): [string, Route][] {
  const named: [string, string][] = [...files, ['', files.get(page) ?? '']];
  return named.map(([name, path]) => [`${folder}${name}`, { kind: 'file', path, cache: false }]);
}
