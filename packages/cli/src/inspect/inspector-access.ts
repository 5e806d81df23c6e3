// Options of `kerf inspect` -> where it listens, with which certificate, and which secrets open which role.
import { X509Certificate } from 'node:crypto';
import {
  type CertificateEvent,
  certificateFromFiles,
  developmentCertificate,
  followCertificate,
  type ServerCertificate,
} from '@kerf/access';
import { ROLES, type Role } from '@kerf/bridge';
import { isLoopback, systemClock } from '@kerf/protocol';
import { makeSecret, reachableHosts } from '../addresses.ts';
import { type CommandLine, type OptionSpec, usageError } from '../command.ts';
import type { PageCertificate } from '../page-server.ts';
import { inspectorKeys } from './inspector-keys.ts';

export const ACCESS_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  role: {
    type: 'string',
    value: 'ROLE',
    multiple: true,
    help: `what whoever has the address may do: ${ROLES.join(', ')}; may be repeated, an address each (default engineer, with --host operator)`,
  },
  host: {
    type: 'string',
    value: 'HOST',
    help: 'address to listen on (default 127.0.0.1); 0.0.0.0 for tablets and other machines, over https',
  },
  port: { type: 'string', value: 'N', help: 'port to listen on (default 0, a free one; 8444 with --host)' },
  state: {
    type: 'string',
    value: 'DIR',
    help: 'with --host: where certificate and addresses are kept, so that a bookmark goes on working (default .kerf)',
  },
  cert: { type: 'string', value: 'FILE', help: 'with --host: PEM certificate chain instead of the one made here' },
  'cert-key': { type: 'string', value: 'FILE', help: 'with --host: PEM private key of --cert' },
  'new-keys': { type: 'boolean', help: 'with --host: makes new addresses; those given out before stop working' },
};

export interface InspectorAccess {
  readonly host: string;
  /** Names or addresses under which it can be opened. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** Null serves plain http, for this machine only. */
  readonly tls: PageCertificate | null;
  /** SHA-256 of the certificate; null without TLS. */
  readonly fingerprint: string | null;
  /** Secrets of those roles that have an address. */
  readonly keys: ReadonlyMap<Role, string>;
}

const NETWORK_PORT = 8444;
const NETWORK_ONLY = ['state', 'cert', 'cert-key'];

/**
 * @param onCertificate hears that the certificate was replaced, cannot be, or is about to end
 * @throws {KerfError} of the certificate, the keys or the options.
 */
export async function inspectorAccess(
  line: CommandLine,
  onCertificate: (event: CertificateEvent) => void,
): Promise<InspectorAccess> {
  const host = line.text('host') ?? '127.0.0.1';
  const hosts = reachableHosts(host);
  const roles = rolesOf(line, isLoopback(host) ? 'engineer' : 'operator');
  if (isLoopback(host)) {
    const given = NETWORK_ONLY.find((name) => line.text(name) !== undefined);
    if (given !== undefined || line.flag('new-keys'))
      throw usageError(`--${given ?? 'new-keys'} is for --host with an address that other machines reach`);
    const keys = new Map(roles.map((role) => [role, makeSecret()]));
    return { host, hosts, port: line.number('port', 0, { most: 65_535 }), tls: null, fingerprint: null, keys };
  }
  const state = line.text('state') ?? '.kerf';
  const tls = await certificateOf(line, state, hosts);
  const kept = await inspectorKeys(state, line.flag('new-keys'));
  return {
    host,
    hosts,
    port: line.number('port', NETWORK_PORT, { most: 65_535 }),
    tls: followed(tls, onCertificate),
    fingerprint: new X509Certificate(tls.certPem).fingerprint256,
    keys: new Map(roles.map((role) => [role, kept.get(role) ?? ''])),
  };
}

/** Files that are replaced while the page is served count from the next connection on. */
function followed(certificate: ServerCertificate, tell: (event: CertificateEvent) => void): PageCertificate {
  const { certPem, keyPem } = certificate;
  const setting = { clock: systemClock, wallNowMs: Date.now, tell };
  return { certPem, keyPem, follow: (server) => followCertificate(server, certificate, setting) };
}

function rolesOf(line: CommandLine, ordinary: Role): Role[] {
  const given = line.texts('role');
  const strange = given.find((role) => !ROLES.includes(role as Role));
  if (strange !== undefined) throw usageError(`--role must be one of ${ROLES.join(', ')}, not '${strange}'`);
  return given.length === 0 ? [ordinary] : [...new Set(given as Role[])];
}

function certificateOf(line: CommandLine, state: string, hosts: readonly string[]): Promise<ServerCertificate> {
  const [cert, key] = [line.text('cert'), line.text('cert-key')];
  if ((cert === undefined) !== (key === undefined)) throw usageError('--cert and --cert-key go together');
  return cert === undefined || key === undefined
    ? developmentCertificate(state, hosts)
    : certificateFromFiles(cert, key);
}
