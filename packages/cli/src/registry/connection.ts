// Options that name a registry -> a client of it.
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { authorityText } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { RegistryClient } from '@kerf/registry';
import { type CommandLine, type OptionSpec, usageError } from '../command.ts';

/** The audience of tokens for a registry, so that a token for the cloud is none for it. */
export const REGISTRY_AUDIENCE = 'kerf-registry';

/** Of every command that calls a registry. */
export const CONNECTION_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  registry: { type: 'string', value: 'URL', help: 'the registry (default: the variable KERF_REGISTRY)' },
  token: {
    type: 'string',
    value: 'TOKEN',
    help: "a token, or '@FILE' that holds one (default: the variable KERF_REGISTRY_TOKEN)",
  },
  ca: { type: 'string', value: 'FILE', help: 'certificate to trust, such as the dev-cert.pem of the registry' },
};

/**
 * @param credential instead of the token that the command line names
 * @throws {KerfError} INVALID_ARGUMENT, FILE_NOT_FOUND.
 */
export async function registryClient(line: CommandLine, credential: string | null = null): Promise<RegistryClient> {
  const url = line.text('registry') ?? process.env['KERF_REGISTRY'];
  if (url === undefined) throw usageError('--registry is needed, or the variable KERF_REGISTRY');
  const token = line.text('token') ?? process.env['KERF_REGISTRY_TOKEN'];
  const ca = line.text('ca');
  return new RegistryClient({
    url,
    credential: credential ?? (token === undefined ? null : await tokenOf(token)),
    ...(ca === undefined ? {} : { ca: await authorityText(ca) }),
  });
}

async function tokenOf(text: string): Promise<string> {
  const token = text.startsWith('@') ? await readText(text.slice(1), 'the token') : text;
  return token.trim();
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `${what} ${file} cannot be read`, { cause });
  }
}
