// `kerf keys`: who may sign what in a repository of releases.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type RoleKeys, TOP_ROLES } from '@kerf/delta-sync';
import {
  addKey,
  createRepository,
  type KeyFile,
  KeyRing,
  keysToReplace,
  listKeys,
  type NewKeys,
  refreshRepository,
  rotateKeys,
} from '@kerf/delta-sync/node';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { KEY_OPTIONS, keyFolders, openKeys, passphrase, trustedStore } from '../publish/key-options.ts';
import { shellWord } from '../shell-word.ts';
import { table } from '../units.ts';

export const keys: Command = {
  name: 'keys',
  usage: 'init|list|add|rotate|refresh [ROLE...] --keys DIR [OPTIONS]',
  summary:
    'Makes and changes the keys that sign releases, and a repository with its first metadata. Roles are root, targets, ' +
    'snapshot, timestamp and the names of models.',
  positionals: [1, 64],
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
      help: 'init: keys of root to make (default 2); rotate: new keys to make (default: as many as there are)',
    },
    threshold: {
      type: 'string',
      value: 'N',
      help: 'how many of them must sign (default: init 1, rotate as many as now)',
    },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: [
    'kerf keys init --keys DIR --repo REPO       makes keys and the repository; root.json is what devices are shipped with',
    'kerf keys add NAME --keys DIR               makes a key for the releases of a model',
    'kerf keys rotate ROLE... --keys DIR --repo REPO  gives roles new keys, as many as they had',
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
  const made = await addKey(folder, checkedRole(line.positionals[1]), await passphrase(line));
  printMade(line, io, [made]);
  return 0;
}

async function rotate(line: CommandLine, io: Io): Promise<number> {
  const [first, ...others] = line.positionals.slice(1);
  const roles = [...new Set([checkedRole(first), ...others.map(checkedRole)])];
  const repository = line.required('repo');
  const folders = keyFolders(line);
  const secret = await passphrase(line);
  const place = { repository, store: trustedStore(folders[0]), nowMs: Date.now() };
  // Where all keys of a disk are lost, the folder for the new ones is not there yet.
  const before = await KeyRing.open(others.length > 0 ? folders.filter(existsSync) : folders, secret, repository);
  // Before new keys are made: whoever cannot sign with the old ones gets no new ones.
  const old = await keysToReplace({ ...place, ring: before }, roles);
  const made: KeyFile[] = [];
  const fresh: NewKeys[] = [];
  for (const [at, role] of roles.entries()) {
    const { count, threshold } = amountsOf(line, old[at] as RoleKeys);
    const known = before.files.find(({ keyid }) => (old[at] as RoleKeys).keyids.includes(keyid));
    const folder = known === undefined ? folders[0] : dirname(known.path);
    const added: KeyFile[] = [];
    for (let key = 0; key < count; key++) added.push(await addKey(folder, role, secret));
    made.push(...added);
    fresh.push({ role, keys: added.map(({ key }) => key), threshold });
  }
  await rotateKeys({ ...place, ring: await KeyRing.open(folders, secret, repository) }, fresh);
  printMade(line, io, made);
  const gone = before.files.filter(({ role }) => roles.includes(role)).map(({ path }) => path);
  if (!line.flag('json') && gone.length > 0) io.print(`no longer valid, delete: ${gone.join(', ')}`);
  return 0;
}

/** As many as there were, unless something else is asked for. */
function amountsOf(line: CommandLine, { keyids, threshold }: RoleKeys): { count: number; threshold: number } {
  const count = line.number('count', keyids.length, { least: 1, most: 16 });
  const needed = line.number('threshold', Math.min(threshold, count), { least: 1, most: 16 });
  if (needed <= count) return { count, threshold: needed };
  throw usageError(`--threshold ${needed} is more than --count ${count}: they could never sign`);
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

function checkedRole(role: string | undefined): string {
  if (role === undefined) throw usageError(`name the role: ${TOP_ROLES.join(', ')} or a model`);
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(role))
    throw usageError(`a role is written with a-z, 0-9, . _ -, got '${role}'`);
  return role;
}

function printMade(line: CommandLine, io: Io, files: readonly KeyFile[]): void {
  const made = files.map(({ role, keyid, path }) => ({ role, keyid, file: path }));
  if (line.flag('json')) io.print(JSON.stringify({ keys: made }));
  else for (const { role, keyid, file } of made) io.print(`${role} ${keyid.slice(0, 12)}  ${file}`);
}
