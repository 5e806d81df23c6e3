// `kerf token`: key pairs for issuers, tokens for edges.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_AUDIENCE, generateTokenKeys, issueToken } from '@kerf/access';
import { writeWhole } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { decodeJwt } from 'jose';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { durationSeconds } from '../units.ts';

export const PRIVATE_KEY_FILE = 'token-private.pem';
export const PUBLIC_KEY_FILE = 'token-public.pem';

export const token: Command = {
  name: 'token',
  usage: 'keys|issue|show [TOKEN] [OPTIONS]',
  summary: 'Makes keys and tokens. The cloud needs the public key; whoever holds the private key can issue tokens.',
  positionals: [1, 2],
  options: {
    out: {
      type: 'string',
      value: 'PATH',
      help: 'keys: folder for the two key files (default .kerf); issue: file for the token',
    },
    key: { type: 'string', value: 'FILE', help: `issue: private key (default .kerf/${PRIVATE_KEY_FILE})` },
    subject: { type: 'string', value: 'NAME', help: 'issue: who the token is for, a device or a station' },
    models: {
      type: 'string',
      value: 'LIST',
      help: "issue: model ids with commas between; 'line1/*' and '*' work (default * without --registry)",
    },
    registry: {
      type: 'string',
      value: 'LIST',
      help: 'issue: what the token may do in the registry: read, publish, devices, rollouts, approve, audit, or *',
    },
    cloud: {
      type: 'string',
      value: 'LIST',
      help: 'issue: what the token may do with a cloud beyond using models: manage (load and unload them)',
    },
    expires: { type: 'string', value: 'TIME', help: 'issue: such as 30m, 12h, 7d (default 12h)' },
    audience: { type: 'string', value: 'NAME', help: `issue: which clouds take it (default ${DEFAULT_AUDIENCE})` },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: [
    'kerf token keys                          makes the key pair',
    'kerf token issue --subject camera-7      prints a token',
    'kerf token show TOKEN                    prints what a token says (its signature is not checked)',
  ].join('\n'),
  run(line, io) {
    const action = line.positional(0);
    if (action === 'keys') return makeKeys(line, io);
    if (action === 'issue') return issue(line, io);
    if (action === 'show') return show(line, io);
    throw usageError(`'kerf token ${action}' is not known; use keys, issue or show`);
  },
};

async function makeKeys(line: CommandLine, io: Io): Promise<number> {
  const keyId = await writeTokenKeys(line.text('out') ?? '.kerf');
  const folder = line.text('out') ?? '.kerf';
  const files = { privateKey: join(folder, PRIVATE_KEY_FILE), publicKey: join(folder, PUBLIC_KEY_FILE) };
  if (line.flag('json')) io.print(JSON.stringify({ keyId, ...files }));
  else io.print(`private key: ${files.privateKey} (keep it where tokens are issued)\npublic key:  ${files.publicKey}`);
  return 0;
}

/**
 * Makes a key pair in `folder`; the private key is readable by its owner only.
 * @returns the key id. @throws {KerfError} FILE_EXISTS rather than replacing a key.
 */
export async function writeTokenKeys(folder: string): Promise<string> {
  const keys = generateTokenKeys();
  await makeFolders(folder);
  try {
    await writeFile(join(folder, PRIVATE_KEY_FILE), keys.privateKeyPem, { mode: 0o600, flag: 'wx' });
    await writeFile(join(folder, PUBLIC_KEY_FILE), keys.publicKeyPem, { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new KerfError(
      'FILE_EXISTS',
      `${folder} already holds a key; tokens in use depend on it, so name another folder`,
      {
        cause,
      },
    );
  }
  return keys.keyId;
}

async function issue(line: CommandLine, io: Io): Promise<number> {
  const keyFile = line.text('key') ?? join('.kerf', PRIVATE_KEY_FILE);
  const privateKeyPem = await readFile(keyFile, 'utf8').catch((cause: unknown) => {
    throw new KerfError(
      'FILE_NOT_FOUND',
      `the private key ${keyFile} cannot be read; make one with 'kerf token keys'`,
      {
        cause,
      },
    );
  });
  const models = listOf(line.text('models') ?? (line.text('registry') === undefined ? '*' : ''));
  const registry = listOf(line.text('registry') ?? '');
  const cloud = listOf(line.text('cloud') ?? '');
  const audience = line.text('audience');
  const text = await issueToken({
    privateKeyPem,
    subject: line.required('subject'),
    models,
    registry,
    cloud,
    expiresInSeconds: durationSeconds('expires', line.text('expires') ?? '12h'),
    ...(audience === undefined ? {} : { audience }),
  });
  const out = line.text('out');
  if (out !== undefined) await writeToken(out, text);
  if (line.flag('json')) io.print(JSON.stringify({ token: text, claims: decodeJwt(text) }));
  else io.print(out === undefined ? text : `token: ${out}`);
  return 0;
}

/**
 * Whole at any time, since an edge may read it just now; in the place of an older token, and of nothing else.
 * @throws {KerfError} FILE_EXISTS.
 */
async function writeToken(path: string, text: string): Promise<void> {
  const there = await stat(path).catch(() => null);
  // A pipe or a terminal.
  if (there !== null && !there.isFile()) return await writeFile(path, `${text}\n`);
  if (there !== null && !isToken(await readFile(path, 'utf8'))) {
    throw new KerfError('FILE_EXISTS', `'${path}' is there and is no token; name another file with --out`);
  }
  await writeWhole(path, `${text}\n`, 0o600);
}

function isToken(text: string): boolean {
  try {
    decodeJwt(text.trim());
    return true;
  } catch {
    return text.trim() === '';
  }
}

function listOf(text: string): string[] {
  return text === '' ? [] : text.split(',').map((entry) => entry.trim());
}

async function show(line: CommandLine, io: Io): Promise<number> {
  const text = line.positionals[1];
  if (text === undefined) throw usageError("'kerf token show' needs the token");
  let claims: ReturnType<typeof decodeJwt>;
  try {
    claims = decodeJwt(text.trim());
  } catch (cause) {
    throw new KerfError('INVALID_ARGUMENT', 'this is no token', { cause });
  }
  if (line.flag('json')) {
    io.print(JSON.stringify(claims));
    return 0;
  }
  io.print(`subject  ${claims.sub ?? 'none'}`);
  io.print(`models   ${JSON.stringify(claims['models'])}`);
  if (claims['registry'] !== undefined) io.print(`registry ${JSON.stringify(claims['registry'])}`);
  if (claims['cloud'] !== undefined) io.print(`cloud    ${JSON.stringify(claims['cloud'])}`);
  io.print(`audience ${JSON.stringify(claims.aud)}`);
  io.print(`expires  ${claims.exp === undefined ? 'never' : new Date(claims.exp * 1000).toISOString()}`);
  return 0;
}
