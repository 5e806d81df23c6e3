// Options of `kerf registry` -> a running registry with its keys and certificate, and the words for what to do next.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import {
  certificateFromFiles,
  DEFAULT_ISSUER,
  developmentCertificate,
  readPublicKey,
  type ServerCertificate,
  tokenVerifier,
  type VerifyToken,
} from '@kerf/access';
import { KerfError } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import {
  type BlobStore,
  type Database,
  openEmbedded,
  openFolderBlobs,
  openPostgresql,
  openS3Blobs,
  type Registry,
  type RegistryLog,
  startRegistry,
} from '@kerf/registry';
import { type CommandLine, type Io, usageError } from '../command.ts';
import { PRIVATE_KEY_FILE, PUBLIC_KEY_FILE, writeTokenKeys } from '../commands/token.ts';
import { deltaFormatOf } from '../publish/delta-format.ts';
import { REGISTRY_AUDIENCE } from './connection.ts';

export const DEFAULT_DATA = '.kerf/registry';

/** Serves until SIGINT or SIGTERM. */
export async function serveRegistry(line: CommandLine, io: Io): Promise<number> {
  const data = line.text('data') ?? DEFAULT_DATA;
  await makeFolder(data);
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const { verify, ownKey } = await verifierOf(line, data);
  const certificate = await certificateOf(line, data);
  const registry = await startRegistry({
    database: await databaseOf(line, data),
    blobs: await blobsOf(line, data),
    workFolder: join(data, 'work'),
    verify,
    certificate,
    host: line.text('host') ?? '127.0.0.1',
    port: line.number('port', 8480, { most: 65_535 }),
    allowInsecureRemote: line.flag('behind-proxy'),
    firstRoot: await firstRootOf(line),
    deltaFormat: deltaFormatOf(line),
    log: logTo(line, io),
  });
  announce(registry, { line, io, certificate, ownKey });
  await stopped;
  await registry.close();
  return 0;
}

async function makeFolder(data: string): Promise<void> {
  try {
    await makeFolders(data, 0o700);
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the folder '${data}' cannot be made: choose another with --data`, { cause });
  }
}

/** Without a named key the folder's own pair is used, made on first start. */
async function verifierOf(line: CommandLine, data: string): Promise<{ verify: VerifyToken; ownKey: string | null }> {
  const named = line.texts('public-key');
  const own = join(data, PUBLIC_KEY_FILE);
  if (named.length === 0 && !existsSync(own)) await writeTokenKeys(data);
  const keys = await Promise.all((named.length === 0 ? [own] : named).map(readPublicKey));
  const audience = line.text('audience') ?? REGISTRY_AUDIENCE;
  return {
    verify: tokenVerifier(keys, audience, DEFAULT_ISSUER),
    ownKey: named.length === 0 ? join(data, PRIVATE_KEY_FILE) : null,
  };
}

async function certificateOf(line: CommandLine, data: string): Promise<ServerCertificate | null> {
  const [certPath, keyPath] = [line.text('cert'), line.text('cert-key')];
  if (line.flag('no-tls')) return null;
  if (certPath !== undefined && keyPath !== undefined) return certificateFromFiles(certPath, keyPath);
  if (certPath !== undefined || keyPath !== undefined) throw usageError('--cert and --cert-key go together');
  const host = line.text('host');
  const isName = host !== undefined && host !== '0.0.0.0' && host !== '::';
  return developmentCertificate(data, [...(isName ? [host] : []), ...line.texts('cert-host')]);
}

function databaseOf(line: CommandLine, data: string): Promise<Database> {
  const url = line.text('database');
  if (url === undefined) return openEmbedded({ file: join(data, 'registry.db') });
  const schema = line.text('schema');
  return openPostgresql({ url, ...(schema === undefined ? {} : { schema }) });
}

function blobsOf(line: CommandLine, data: string): Promise<BlobStore> | BlobStore {
  const endpoint = line.text('s3');
  if (endpoint === undefined) return openFolderBlobs(join(data, 'blobs'));
  const accessKeyId = process.env['KERF_S3_ACCESS_KEY_ID'];
  const secretAccessKey = process.env['KERF_S3_SECRET_ACCESS_KEY'];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw usageError('--s3 needs the variables KERF_S3_ACCESS_KEY_ID and KERF_S3_SECRET_ACCESS_KEY');
  }
  const region = line.text('s3-region');
  return openS3Blobs({
    endpoint,
    bucket: line.required('s3-bucket'),
    credentials: { accessKeyId, secretAccessKey },
    ...(region === undefined ? {} : { region }),
  });
}

async function firstRootOf(line: CommandLine): Promise<Uint8Array | null> {
  const file = line.text('root');
  if (file === undefined) return null;
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the root of trust ${file} cannot be read`, { cause });
  }
}

function logTo(line: CommandLine, io: Io): RegistryLog {
  if (line.flag('json')) return (event) => io.print(JSON.stringify(event));
  return ({ event, ...fields }) => {
    const detail = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    io.print(`${new Date().toISOString()} ${event} ${detail.join(' ')}`.trimEnd());
  };
}

interface Announced {
  readonly line: CommandLine;
  readonly io: Io;
  readonly certificate: ServerCertificate | null;
  readonly ownKey: string | null;
}

function announce({ url, port }: Registry, { line, io, certificate, ownKey }: Announced): void {
  const certificatePath = certificate?.certPath ?? null;
  if (line.flag('json')) {
    io.print(JSON.stringify({ event: 'listening', url, port, certificatePath, keyPath: ownKey }));
    return;
  }
  const ca = certificatePath === null ? '' : ` --ca ${certificatePath}`;
  io.print(`kerf registry at ${url} (its description: ${url}/openapi.json)`);
  if (ownKey !== null) {
    io.print('  1. a token for you:');
    io.print(
      `     kerf token issue --key ${ownKey} --audience ${REGISTRY_AUDIENCE} --subject NAME --registry '*' --out me.token`,
    );
  }
  io.print('  2. send what you have published into a folder:');
  io.print(`     kerf registry push --repository DIR --registry ${url} --token @me.token${ca}`);
  io.print('  3. a token that enrols a device:');
  io.print(`     kerf devices invite --group line-1 --registry ${url} --token @me.token${ca}`);
  io.print('  stop with Ctrl-C: requests under way are answered first');
}
