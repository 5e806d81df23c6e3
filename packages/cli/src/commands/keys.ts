// `kerf keys`: who may sign what in a repository of releases.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOP_ROLES, type TufKey } from '@kerf/delta-sync';
import { addKey, createRepository, KeyRing, listKeys, refreshRepository, rotateKeys } from '@kerf/delta-sync/node';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { KEY_OPTIONS, keyFolders, openKeys, passphrase, trustedStore } from '../publish/key-options.ts';
import { shellWord } from '../shell-word.ts';
import { table } from '../units.ts';

export const keys: Command = {
  name: 'keys',
  usage: 'init|list|add|rotate|refresh [ROLE] --keys DIR [OPTIONS]',
  summary:
    'Makes and changes the keys that sign releases, and a repository with its first metadata. Roles are root, targets, ' +
    'snapshot, timestamp and the names of models.',
  positionals: [1, 2],
  options: {
    ...KEY_OPTIONS,
    repo: { type: 'string', value: 'REPO', help: 'folder of the repository' },
    'root-keys': {
      type: 'string',
      value: 'DIR',
      help: 'init: folder for the keys of root, such as a stick (default: --keys)',
    },
    count: {
      type: 'string',
      value: 'N',
      help: 'init: keys of root to make (default 2); rotate: new keys to make (default 1)',
    },
    threshold: { type: 'string', value: 'N', help: 'how many of them must sign (default 1)' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: [
    'kerf keys init --keys DIR --repo REPO       makes keys and the repository; root.json is what devices are shipped with',
    'kerf keys add NAME --keys DIR               makes a key for the releases of a model',
    'kerf keys rotate ROLE --keys DIR --repo REPO  gives a role new keys, signed by the old and the new ones',
    'kerf keys refresh --keys DIR --repo REPO    signs anew what expires: timestamp, snapshot, and what is near its end',
  ].join('\n'),
  run(line, io) {
    const action = line.positional(0);
    if (action === 'init') return init(line, io);
    if (action === 'list') return list(line, io);
    if (action === 'add') return add(line, io);
    if (action === 'rotate') return rotate(line, io);
    if (action === 'refresh') return refresh(line, io);
    throw usageError(`'kerf keys ${action}' is not known; use init, list, add, rotate or refresh`);
  },
};

async function init(line: CommandLine, io: Io): Promise<number> {
  const [folder] = keyFolders(line);
  const repository = line.required('repo');
  const rootKeys = line.text('root-keys') ?? folder;
  const rootCount = line.number('count', 2, { least: 1, most: 16 });
  const root = await createRepository({
    repository,
    keys: folder,
    rootKeys,
    passphrase: await passphrase(line),
    rootCount,
    rootThreshold: line.number('threshold', 1, { least: 1, most: 16 }),
    store: trustedStore(folder),
    nowMs: Date.now(),
  });
  const rootFile = join(folder, 'root.json');
  await writeFile(rootFile, root);
  if (line.flag('json')) {
    io.print(JSON.stringify({ repository, keys: folder, rootKeys, root: rootFile }));
    return 0;
  }
  io.print(`repository: ${repository}`);
  io.print(`keys:       ${folder} (whoever has them and the passphrase can publish)`);
  io.print(`root keys:  ${rootKeys} (keep them offline: they are needed to replace other keys only)`);
  io.print(`root.json:  ${rootFile} (ship it with every device)`);
  io.print(
    `next:       kerf keys add NAME --keys ${shellWord(folder)}, then kerf publish MODEL --to ${shellWord(repository)} --name NAME`,
  );
  return 0;
}

async function list(line: CommandLine, io: Io): Promise<number> {
  const files = (await Promise.all(keyFolders(line).map((folder) => listKeys(folder)))).flat();
  const rows = files.map(({ role, keyid, path }) => ({ role, keyid, file: path }));
  if (line.flag('json')) io.print(JSON.stringify({ keys: rows }));
  else
    for (const text of table(
      [['role', 'key', 'file'], ...rows.map((row) => [row.role, row.keyid.slice(0, 12), row.file])],
      [],
    ))
      io.print(text);
  return 0;
}

async function add(line: CommandLine, io: Io): Promise<number> {
  const [folder] = keyFolders(line);
  const made = await addKey(folder, roleOf(line), await passphrase(line));
  printMade(line, io, [{ role: made.role, keyid: made.keyid, file: made.path }]);
  return 0;
}

async function rotate(line: CommandLine, io: Io): Promise<number> {
  const role = roleOf(line);
  const repository = line.required('repo');
  const folders = keyFolders(line);
  const count = line.number('count', 1, { least: 1, most: 16 });
  const threshold = line.number('threshold', 1, { least: 1, most: 16 });
  if (threshold > count)
    throw usageError(`--threshold ${threshold} is more than --count ${count}: they could never sign`);
  const secret = await passphrase(line);
  // Before new keys are made: whoever cannot sign with the old ones gets no new ones.
  const before = await KeyRing.open(folders, secret, repository);
  const old = before.files.filter((file) => file.role === role).map(({ keyid }) => keyid);
  const made: { role: string; keyid: string; file: string }[] = [];
  const fresh: TufKey[] = [];
  for (let at = 0; at < count; at++) {
    const { keyid, key, path } = await addKey(folders[0], role, secret);
    made.push({ role, keyid, file: path });
    fresh.push(key);
  }
  const ring = await KeyRing.open(folders, secret, repository);
  await rotateKeys({
    repository,
    ring,
    store: trustedStore(folders[0]),
    nowMs: Date.now(),
    role,
    keys: fresh,
    threshold,
  });
  printMade(line, io, made);
  const gone = before.files.filter(({ keyid }) => old.includes(keyid)).map(({ path }) => path);
  if (!line.flag('json') && gone.length > 0) io.print(`no longer valid, delete: ${gone.join(', ')}`);
  return 0;
}

async function refresh(line: CommandLine, io: Io): Promise<number> {
  const repository = line.required('repo');
  const { ring, store } = await openKeys(line, repository);
  const roles = (await refreshRepository({ repository, ring, store, nowMs: Date.now() })).map((one) => ({
    role: one.role,
    expires: new Date(one.expiresMs).toISOString(),
    isRefreshed: one.isRefreshed,
    isDue: one.isDue,
  }));
  if (line.flag('json')) io.print(JSON.stringify({ repository, roles }));
  else {
    const rows = roles.map(({ role, expires, isRefreshed, isDue }) => [
      role,
      expires,
      isRefreshed ? 'signed anew' : isDue ? 'due, and its keys are not here: name their folder with --keys too' : '',
    ]);
    for (const text of table([['role', 'expires', ''], ...rows], [])) io.print(text);
  }
  return 0;
}

function roleOf(line: CommandLine): string {
  const role = line.positionals[1];
  if (role === undefined) throw usageError(`name the role: ${TOP_ROLES.join(', ')} or a model`);
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(role))
    throw usageError(`a role is written with a-z, 0-9, . _ -, got '${role}'`);
  return role;
}

function printMade(line: CommandLine, io: Io, made: readonly { role: string; keyid: string; file: string }[]): void {
  if (line.flag('json')) io.print(JSON.stringify({ keys: made }));
  else for (const { role, keyid, file } of made) io.print(`${role} ${keyid.slice(0, 12)}  ${file}`);
}
