// `kerf audit`: the log of a registry, verified, exported, and marked so that it cannot be cut unnoticed.
import { createReadStream } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { KerfError } from '@kerf/protocol';
import { type AuditCheckpoint, type AuditEntry, CHECKPOINT_FORMAT, ChainCheck } from '@kerf/registry';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
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
  const checkpoints = await Promise.all(line.texts('checkpoint').map(readCheckpoint));
  const chain = new ChainCheck(checkpoints);
  for await (const entry of entriesOf(line)) chain.take(entry);
  chain.finish();
  const { last } = chain;
  const result = { entries: last?.number ?? 0, hash: last?.hash ?? null, checkpoints: checkpoints.length };
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
  const out = line.text('out');
  if (out !== undefined) await writeFile(out, `${JSON.stringify(answer.checkpoint)}\n`, { flag: 'wx' });
  if (line.flag('json') || out === undefined) io.print(JSON.stringify(answer.checkpoint));
  else io.print(`entry ${answer.checkpoint.number} in ${out}: keep it where the registry cannot write`);
  return 0;
}

async function readCheckpoint(file: string): Promise<AuditCheckpoint> {
  let value: AuditCheckpoint;
  try {
    value = JSON.parse(await readFile(file, 'utf8')) as AuditCheckpoint;
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the checkpoint ${file} cannot be read`, { cause });
  }
  if (value?.format === CHECKPOINT_FORMAT && Number.isSafeInteger(value.number) && typeof value.hash === 'string')
    return value;
  throw new KerfError('INVALID_ARGUMENT', `${file} is no checkpoint of an audit log`);
}
