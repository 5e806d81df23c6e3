// `kerf registry`: the registry as a process, and what publishers send to it and fetch from it.
import { folderStore } from '@kerf/delta-sync/node';
import { pullRepository, pushRepository } from '@kerf/registry';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { deltaFormatOption } from '../publish/delta-format.ts';
import { CONNECTION_OPTIONS, REGISTRY_AUDIENCE, registryClient } from '../registry/connection.ts';
import { DEFAULT_DATA, serveRegistry } from '../registry/serve-registry.ts';

export const registry: Command = {
  name: 'registry',
  usage: '[serve|push|pull] [OPTIONS]',
  summary:
    'Runs the registry of a fleet: releases, devices, rollouts, audit log. Everything lies in one folder; a certificate ' +
    'and a key pair for tokens are made on first start. push and pull move a repository of releases.',
  positionals: [0, 1],
  options: {
    data: { type: 'string', value: 'DIR', help: `serve: its folder (default ${DEFAULT_DATA})` },
    port: { type: 'string', value: 'N', help: 'serve: default 8480; 0 takes a free one' },
    host: { type: 'string', value: 'ADDRESS', help: 'serve: default 127.0.0.1; 0.0.0.0 for all interfaces' },
    database: { type: 'string', value: 'URL', help: 'serve: a PostgreSQL instead of the embedded database' },
    schema: { type: 'string', value: 'NAME', help: 'serve: its schema (default kerf)' },
    s3: { type: 'string', value: 'URL', help: 'serve: an S3-compatible store for blobs instead of the folder' },
    's3-bucket': { type: 'string', value: 'NAME', help: 'serve: its bucket' },
    's3-region': { type: 'string', value: 'NAME', help: 'serve: its region (default us-east-1)' },
    ...deltaFormatOption('serve: '),
    root: {
      type: 'string',
      value: 'FILE',
      help: 'serve: the first root.json; without it the first one that is published is believed',
    },
    'public-key': {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'serve: public key of whoever issues tokens; may be repeated',
    },
    audience: {
      type: 'string',
      value: 'NAME',
      help: `serve: the audience that tokens must name (default ${REGISTRY_AUDIENCE})`,
    },
    cert: {
      type: 'string',
      value: 'FILE',
      help: 'serve: PEM certificate chain instead of the development certificate',
    },
    'cert-key': { type: 'string', value: 'FILE', help: 'serve: PEM private key of --cert' },
    'cert-host': {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: 'serve: further host name of the development certificate',
    },
    'no-tls': { type: 'boolean', help: 'serve: plain text; on loopback only' },
    'behind-proxy': { type: 'boolean', help: 'serve: plain text elsewhere too; a proxy in front ends TLS' },
    repository: { type: 'string', value: 'DIR', help: 'push, pull: folder of the repository' },
    trusted: { type: 'string', value: 'DIR', help: 'pull: folder of what you trust, with root.json in it' },
    ...CONNECTION_OPTIONS,
    json: { type: 'boolean', help: 'serve: print events as JSON lines; push, pull: print one object' },
  },
  notes: [
    'kerf registry                                            serves from .kerf/registry',
    'kerf registry push --repository DIR --registry URL       sends a repository: blobs, deltas, then the signed metadata',
    'kerf registry pull --repository DIR --trusted DIR --registry URL  fetches it, to publish on top of what others have published',
  ].join('\n'),
  lasts: ({ positionals: [action = 'serve'] }) => action === 'serve',
  run(line, io) {
    const action = line.positionals[0] ?? 'serve';
    if (action === 'serve') return serveRegistry(line, io);
    if (action === 'push') return push(line, io);
    if (action === 'pull') return pull(line, io);
    throw usageError(`'kerf registry ${action}' is not known; use serve, push or pull`);
  },
};

async function push(line: CommandLine, io: Io): Promise<number> {
  const isJson = line.flag('json');
  const report = await pushRepository({
    repository: line.required('repository'),
    client: await registryClient(line),
    ...(isJson ? {} : { onStep: (what: string) => io.print(what) }),
  });
  if (isJson) {
    io.print(JSON.stringify(report));
    return 0;
  }
  for (const { name, version, id } of report.releases) io.print(`published ${name} ${version} (${id.slice(0, 12)})`);
  if (report.releases.length === 0)
    io.print(`no new release; the registry has version ${report.version} of timestamp.json`);
  return 0;
}

async function pull(line: CommandLine, io: Io): Promise<number> {
  const isJson = line.flag('json');
  const report = await pullRepository({
    repository: line.required('repository'),
    store: folderStore(line.required('trusted')),
    client: await registryClient(line),
    nowMs: Date.now(),
    ...(isJson ? {} : { onStep: (what: string) => io.print(what) }),
  });
  if (isJson) io.print(JSON.stringify(report));
  else io.print(`${report.releases} releases, ${report.fetchedBytes} bytes of files fetched`);
  return 0;
}
