// `kerf devices`: who is in the fleet, what they have, and what is set for them by hand.
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { KerfError } from '@kerf/protocol';
import type { Device, RegistryClient } from '@kerf/registry';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { CONNECTION_OPTIONS, registryClient } from '../registry/connection.ts';
import { followDevice } from '../registry/follow-device.ts';
import { allOf } from '../registry/pages.ts';
import { findRelease, releaseNames } from '../registry/releases.ts';
import { moment, tableLines } from '../registry/table.ts';
import { durationSeconds } from '../units.ts';

export const devices: Command = {
  name: 'devices',
  usage: 'list|show|invite|enrol|follow|tag|assign|pin|unpin|retire [DEVICE] [OPTIONS]',
  summary: 'Devices of a registry: invites and enrols them, shows what they have, sets what they should have.',
  positionals: [1, 2],
  options: {
    ...CONNECTION_OPTIONS,
    group: { type: 'string', multiple: true, value: 'NAME', help: 'list: of this group; invite, tag: its groups' },
    label: {
      type: 'string',
      multiple: true,
      value: 'KEY=VALUE',
      help: 'list: with this label; invite, tag: its labels',
    },
    expires: { type: 'string', value: 'TIME', help: 'invite: such as 30m, 12h, 7d (default 24h)' },
    invitation: { type: 'string', value: 'TOKEN', help: 'enrol: what invite has printed' },
    out: { type: 'string', value: 'FILE', help: 'enrol: file for the credential, readable by its owner only' },
    device: { type: 'string', value: 'DIR', help: 'follow: folder that kerf update init made' },
    every: { type: 'string', value: 'TIME', help: 'follow: time between two rounds (default: as the registry says)' },
    once: { type: 'boolean', help: 'follow: one round' },
    release: { type: 'string', value: 'NAME@VERSION', help: 'assign, pin: the release' },
    model: { type: 'string', value: 'NAME', help: 'unpin: the model' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: [
    'invite prints a token that enrols one device. enrol, on the device, draws a secret, sends its hash, and keeps the credential.',
    'follow, on the device, installs what the registry wants and reports how it went; its --token is @FILE of enrol.',
    'assign says what a device has where no rollout says otherwise; pin wins over rollouts.',
  ].join('\n'),
  lasts: ({ positionals: [action] }) => action === 'follow',
  run(line, io) {
    const action = line.positional(0);
    const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (run === undefined)
      throw usageError(`'kerf devices ${action}' is not known; use ${Object.keys(ACTIONS).join(', ')}`);
    return run(line, io);
  },
};

const ACTIONS: Readonly<Record<string, (line: CommandLine, io: Io) => Promise<number>>> = {
  list,
  show,
  invite,
  enrol,
  follow: async (line, io) => followDevice(line.required('device'), await registryClient(line), line, io),
  tag,
  assign: (line, io) => set(line, io, 'assigned'),
  pin: (line, io) => set(line, io, 'pinned'),
  unpin,
  retire,
};

async function list(line: CommandLine, io: Io): Promise<number> {
  const client = await registryClient(line);
  const query = new URLSearchParams();
  const [group, label] = [onlyOne(line, 'group'), onlyOne(line, 'label')];
  if (group !== undefined) query.set('group', group);
  if (label !== undefined) query.set('label', label);
  const found = await allOf<Device>(client, `/v1/devices?${query.toString()}`, 'devices');
  if (line.flag('json')) {
    io.print(JSON.stringify(found));
    return 0;
  }
  const nameOf = await releaseNames(client);
  const rows = found.map((device) => [
    device.id,
    device.groups.join(','),
    device.models.map(({ installed }) => nameOf(installed)).join(' '),
    device.provider ?? '-',
    moment(device.lastSeenAt),
  ]);
  for (const text of tableLines(['device', 'groups', 'installed', 'provider', 'last seen'], rows)) io.print(text);
  return 0;
}

function onlyOne(line: CommandLine, option: string): string | undefined {
  const [one, another] = line.texts(option);
  if (another !== undefined) throw usageError(`'kerf devices list' takes one --${option}`);
  return one;
}

async function show(line: CommandLine, io: Io): Promise<number> {
  const client = await registryClient(line);
  await print(client, await client.json<Device>('GET', address(line)), line, io);
  return 0;
}

async function print(client: RegistryClient, device: Device, line: CommandLine, io: Io): Promise<void> {
  if (line.flag('json')) {
    io.print(JSON.stringify(device));
    return;
  }
  const nameOf = await releaseNames(client);
  io.print(`device    ${device.id}${device.retired ? ' (retired)' : ''}`);
  io.print(`groups    ${device.groups.join(', ') || '-'}`);
  io.print(
    `labels    ${
      Object.entries(device.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', ') || '-'
    }`,
  );
  io.print(`enrolled  ${moment(device.enrolledAt)}, last seen ${moment(device.lastSeenAt)}`);
  io.print(`runs      ${device.agent ?? '-'}, provider ${device.provider ?? '-'}, cut ${device.cut ?? '-'}`);
  for (const text of healthTexts(device.health)) io.print(text);
  for (const { name, installed, assigned, pinned } of device.models) {
    const set = [
      ...(assigned === null ? [] : [`assigned ${nameOf(assigned)}`]),
      ...(pinned === null ? [] : [`pinned ${nameOf(pinned)}`]),
    ];
    io.print(`model     ${name}: ${[nameOf(installed), ...set].join(', ')}`);
  }
}

/** What `kerf devices follow` says of its device; other agents may send anything. */
function healthTexts(health: Device['health']): string[] {
  const { state, lastRejected } = (health ?? {}) as {
    state?: unknown;
    lastRejected?: { version?: unknown; reason?: unknown } | null;
  };
  const texts = typeof state === 'string' ? [`state     ${state}`] : [];
  if (typeof lastRejected?.version === 'string')
    texts.push(`left      ${lastRejected.version}: ${String(lastRejected.reason)}`);
  return texts;
}

async function invite(line: CommandLine, io: Io): Promise<number> {
  const client = await registryClient(line);
  const made = await client.json<{ token: string; expiresAt: number }>('POST', '/v1/enrolments', {
    groups: line.texts('group'),
    labels: labelsOf(line),
    deviceId: line.positionals[1] ?? null,
    expiresInSeconds: durationSeconds('expires', line.text('expires') ?? '24h'),
  });
  if (line.flag('json')) io.print(JSON.stringify(made));
  else
    io.print(
      `${made.token}\n(enrols one device until ${moment(made.expiresAt)}: kerf devices enrol DEVICE --invitation TOKEN)`,
    );
  return 0;
}

async function enrol(line: CommandLine, io: Io): Promise<number> {
  const id = deviceOf(line);
  const out = line.required('out');
  const client = await registryClient(line, line.required('invitation').trim());
  const secret = await secretIn(out, id);
  const credentialSha256 = createHash('sha256').update(secret).digest('hex');
  await client.json('POST', '/v1/device/enrol', { device: id, credentialSha256 });
  if (line.flag('json')) io.print(JSON.stringify({ device: id, credentialFile: out }));
  else io.print(`${id} is enrolled; its credential is in ${out}`);
  return 0;
}

/**
 * The secret is written before it is used: a device that is cut off in between asks again with the same one.
 * @throws {KerfError} FILE_EXISTS when the file holds anything else.
 */
async function secretIn(file: string, id: string): Promise<string> {
  const start = `kd1.${id}.`;
  const secret = randomBytes(32).toString('base64url');
  try {
    await writeFile(file, `${start}${secret}\n`, { mode: 0o600, flag: 'wx' });
    return secret;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    const there = (await readFile(file, 'utf8')).trim();
    if (there.startsWith(start)) return there.slice(start.length);
    throw new KerfError('FILE_EXISTS', `'${file}' is there and holds no credential of ${id}: name another --out`);
  }
}

async function tag(line: CommandLine, io: Io): Promise<number> {
  const client = await registryClient(line);
  const groups = line.texts('group');
  const labels = labelsOf(line);
  const device = await client.json<Device>('PATCH', address(line), {
    ...(groups.length > 0 ? { groups } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
  });
  await print(client, device, line, io);
  return 0;
}

async function set(line: CommandLine, io: Io, what: 'assigned' | 'pinned'): Promise<number> {
  const client = await registryClient(line);
  const { id, name } = await findRelease(client, line.required('release'));
  const device = await client.json<Device>('PUT', `${address(line)}/models/${name}`, { [what]: id });
  await print(client, device, line, io);
  return 0;
}

async function unpin(line: CommandLine, io: Io): Promise<number> {
  const client = await registryClient(line);
  const target = `${address(line)}/models/${encodeURIComponent(line.required('model'))}`;
  await print(client, await client.json<Device>('PUT', target, { pinned: null }), line, io);
  return 0;
}

async function retire(line: CommandLine, io: Io): Promise<number> {
  const client = await registryClient(line);
  await client.json('DELETE', address(line));
  if (line.flag('json')) io.print(JSON.stringify({ device: deviceOf(line), retired: true }));
  else io.print(`${deviceOf(line)} is retired: its credential is refused from now on`);
  return 0;
}

function deviceOf(line: CommandLine): string {
  const id = line.positionals[1];
  if (id === undefined) throw usageError(`'kerf devices ${line.positional(0)}' needs the device`);
  return id;
}

function address(line: CommandLine): string {
  return `/v1/devices/${encodeURIComponent(deviceOf(line))}`;
}

function labelsOf(line: CommandLine): Record<string, string> {
  return Object.fromEntries(
    line.texts('label').map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw usageError(`--label must be KEY=VALUE, got '${text}'`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
