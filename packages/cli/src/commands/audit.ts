// `kerf audit`: the log of a registry, verified, exported, and marked so that it cannot be cut unnoticed.
import { createReadStream } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { TufKey } from '@kerf/delta-sync';
import { openKeyFile, readKeyInfo } from '@kerf/delta-sync/node';
import { KerfError } from '@kerf/protocol';
import {
  type AuditCheckpoint,
  type AuditEntry,
  ChainCheck,
  readCheckpoint,
  type SignedCheckpoint,
  signCheckpoint,
} from '@kerf/registry';
import { type Command, type CommandLine, type Io, type OptionSpec, usageError } from '../command.ts';
import { KEY_OPTIONS, passphrase } from '../publish/key-options.ts';
import { CONNECTION_OPTIONS, registryClient } from '../registry/connection.ts';
import { pagesOf } from '../registry/pages.ts';
import { moment } from '../registry/table.ts';

export const audit: Command = {
  name: 'audit',
  usage: 'verify|export|checkpoint [OPTIONS]',
  summary:
    'The audit log of a registry. verify finds a changed, missing or reordered entry, and, against a checkpoint that was kept ' +
    'elsewhere, a log that was cut or written anew.',
  positionals: [1, 1],
  options: {
    ...CONNECTION_OPTIONS,
    file: { type: 'string', value: 'FILE', help: 'verify: an export instead of the registry' },
    checkpoint: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'verify: what checkpoint wrote; may be repeated',
    },
    signer: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'verify: a key file; each checkpoint must be signed by one of them',
    },
    sign: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'checkpoint: a key file of kerf keys to sign it with; may be repeated',
    },
    'passphrase-file': KEY_OPTIONS['passphrase-file'] as OptionSpec,
    out: { type: 'string', value: 'FILE', help: 'export: JSON lines; checkpoint: one object' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  run(line, io) {
    const action = line.positional(0);
    if (action === 'verify') return verify(line, io);
    if (action === 'export') return exportLog(line, io);
    if (action === 'checkpoint') return checkpoint(line, io);
    throw usageError(`'kerf audit ${action}' is not known; use verify, export or checkpoint`);
  },
};

async function verify(line: CommandLine, io: Io): Promise<number> {
  const signers: TufKey[] = [];
  for (const file of line.texts('signer')) signers.push(readKeyInfo(await keyFile(file), file).key);
  if (signers.length > 0 && line.texts('checkpoint').length === 0) {
    throw usageError('--signer says who signs checkpoints: name one with --checkpoint');
  }
  const checkpoints: SignedCheckpoint[] = [];
  for (const file of line.texts('checkpoint')) checkpoints.push(readCheckpoint(await jsonOf(file), file, signers));
  const chain = new ChainCheck(checkpoints);
  for await (const entry of entriesOf(line)) chain.take(entry);
  chain.finish();
  const { last } = chain;
  const signed = signers.length === 0 ? 0 : checkpoints.length;
  const result = { entries: last?.number ?? 0, hash: last?.hash ?? null, checkpoints: checkpoints.length, signed };
  if (line.flag('json')) {
    io.print(JSON.stringify(result));
    return 0;
  }
  io.print(`${result.entries} entries hold, and ${checkpoints.length} checkpoints`);
  if (last !== null) io.print(`the last one is of ${moment(last.at)}: ${last.action} by ${last.actor}`);
  if (checkpoints.length === 0)
    io.print('without a checkpoint a log that was cut at its end looks whole: see kerf audit checkpoint');
  return 0;
}

async function* entriesOf(line: CommandLine): AsyncGenerator<AuditEntry, void, void> {
  const file = line.text('file');
  if (file === undefined) {
    yield* pagesOf<AuditEntry>(await registryClient(line), '/v1/audit', 'entries');
    return;
  }
  const handle = await open(file).catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `the export ${file} cannot be read`, { cause });
  });
  await handle.close();
  let at = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    at += 1;
    if (text !== '') yield entryOf(text, at);
  }
}

function entryOf(text: string, at: number): AuditEntry {
  try {
    const entry = JSON.parse(text) as AuditEntry;
    if (typeof entry === 'object' && entry !== null) return entry;
  } catch {
    // Said below.
  }
  throw new KerfError('AUDIT_BROKEN', `line ${at} of the export is no entry`, { details: { line: at } });
}

async function exportLog(line: CommandLine, io: Io): Promise<number> {
  const out = line.required('out');
  const handle = await open(out, 'wx', 0o600).catch((cause: unknown) => {
    throw new KerfError('FILE_EXISTS', `'${out}' is there already, or cannot be written`, { cause });
  });
  let entries = 0;
  try {
    for await (const entry of pagesOf<AuditEntry>(await registryClient(line), '/v1/audit', 'entries')) {
      await handle.write(`${JSON.stringify(entry)}\n`);
      entries += 1;
    }
  } finally {
    await handle.close();
  }
  if (line.flag('json')) io.print(JSON.stringify({ entries, file: out }));
  else io.print(`${entries} entries in ${out}`);
  return 0;
}

async function checkpoint(line: CommandLine, io: Io): Promise<number> {
  const client = await registryClient(line);
  const answer = await client.json<{ checkpoint: AuditCheckpoint | null }>('GET', '/v1/audit/checkpoint');
  if (answer.checkpoint === null) throw new KerfError('NOT_FOUND', 'the audit log is empty');
  const files = line.texts('sign');
  const words = files.length === 0 ? '' : await passphrase(line);
  const signers = await Promise.all(files.map(async (file) => openKeyFile(await keyFile(file), file, words)));
  const signed = await signCheckpoint(answer.checkpoint, signers);
  const out = line.text('out');
  if (out !== undefined) await writeFile(out, `${JSON.stringify(signed)}\n`, { flag: 'wx' });
  if (line.flag('json') || out === undefined) io.print(JSON.stringify(signed));
  else io.print(`entry ${answer.checkpoint.number} in ${out}: keep it where the registry cannot write`);
  return 0;
}

async function keyFile(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the key file ${file} cannot be read`, { cause });
  }
}

async function jsonOf(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the checkpoint ${file} cannot be read`, { cause });
  }
}
