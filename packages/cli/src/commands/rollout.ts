// `kerf rollout`: plans rollouts of releases, approves, steers and watches them.
import { readFile } from 'node:fs/promises';
import { KerfError } from '@kerf/protocol';
import type { RegistryClient, Rollout, RolloutRequest } from '@kerf/registry';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { CONNECTION_OPTIONS, registryClient } from '../registry/connection.ts';
import { allOf } from '../registry/pages.ts';
import { findRelease, releaseNames } from '../registry/releases.ts';
import { stagesOf } from '../registry/stages.ts';
import { moment, tableLines } from '../registry/table.ts';
import { durationSeconds } from '../units.ts';

type ShownRollout = Rollout & { readonly totals: readonly number[] };

const STEERING = ['pause', 'resume', 'stop', 'abort', 'roll-back'];
const APPROVAL = ['approve', 'reject'];
const ALL = ['list', 'show', 'start', ...APPROVAL, ...STEERING, 'devices', 'retry'];

export const rollout: Command = {
  name: 'rollout',
  usage: `${ALL.join('|')} [ROLLOUT] [OPTIONS]`,
  summary: 'Brings a release to the devices of a registry, stage by stage, and stops by itself when too many fail.',
  positionals: [1, 2],
  options: {
    ...CONNECTION_OPTIONS,
    release: { type: 'string', value: 'NAME@VERSION', help: 'start: the release; list: rollouts of this model' },
    stages: {
      type: 'string',
      value: 'LIST',
      help: 'start: such as group:lab,1%,10%,rest; device:ID+ID for single ones (default 1%,10%,rest)',
    },
    group: { type: 'string', multiple: true, value: 'NAME', help: 'start: only devices of these groups' },
    label: { type: 'string', multiple: true, value: 'KEY=VALUE', help: 'start: only devices with all of these labels' },
    success: { type: 'string', value: 'SHARE', help: 'start: of a stage, before the next one opens (default 0.95)' },
    soak: { type: 'string', value: 'TIME', help: 'start: to wait after that, such as 1h (default 0s)' },
    'pause-after': { type: 'boolean', help: 'start: wait for resume after each stage' },
    'max-failed': {
      type: 'string',
      value: 'N',
      help: 'start: stop when more devices fail (default: no limit by count)',
    },
    'max-failed-share': {
      type: 'string',
      value: 'SHARE',
      help: 'start: stop when more of a stage fail (default 0.05)',
    },
    'minimum-ended': {
      type: 'string',
      value: 'N',
      help: 'start: devices of a stage before the share counts (default 10)',
    },
    'max-in-flight': { type: 'string', value: 'N', help: 'start: devices that install at a time (default 1000)' },
    'roll-back-on-stop': { type: 'boolean', help: 'start: devices go back when it stops by itself' },
    'no-approval': { type: 'boolean', help: 'start: begin at once; otherwise somebody else approves it' },
    at: { type: 'string', value: 'TIME', help: 'start: not before, such as 2026-12-01T06:00:00Z' },
    spec: { type: 'string', value: 'FILE', help: 'start: all of it as JSON, with windows and timeouts; options win' },
    reason: { type: 'string', value: 'TEXT', help: 'for the audit log' },
    device: { type: 'string', value: 'ID', help: 'retry: the device that failed' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: [
    'stop is for emergencies: nothing more is offered; resume goes on, roll-back sends devices to what they had before.',
    'abort is for good. pause lets what is in flight finish.',
  ].join('\n'),
  async run(line, io) {
    const action = line.positional(0);
    const client = await registryClient(line);
    if (action === 'list') return list(client, line, io);
    if (action === 'start') return start(client, line, io);
    if (!ALL.includes(action)) throw usageError(`'kerf rollout ${action}' is not known; use ${ALL.join(', ')}`);
    const id = line.positionals[1];
    if (id === undefined) throw usageError(`'kerf rollout ${action}' needs the rollout`);
    const target = `/v1/rollouts/${encodeURIComponent(id)}`;
    if (action === 'devices') return devices(client, target, line, io);
    if (action === 'retry') return retry(client, target, line, io);
    return show(client, await moved(client, target, action, line), line, io);
  },
};

/** Shown, approved or steered: what it is now. */
function moved(client: RegistryClient, target: string, action: string, line: CommandLine): Promise<ShownRollout> {
  if (action === 'show') return client.json<ShownRollout>('GET', target);
  const reason = line.text('reason');
  const body = { action, ...(reason === undefined ? {} : { reason }) };
  return client.json<ShownRollout>('POST', `${target}/${APPROVAL.includes(action) ? 'approval' : 'actions'}`, body);
}

async function list(client: RegistryClient, line: CommandLine, io: Io): Promise<number> {
  const name = line.text('release')?.split('@')[0];
  const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
  const all = await allOf<ShownRollout>(client, `/v1/rollouts${query}`, 'rollouts');
  if (line.flag('json')) {
    io.print(JSON.stringify(all));
    return 0;
  }
  const nameOf = await releaseNames(client);
  const rows = all.map(({ id, release, state, totals, createdAt }) => [
    id,
    nameOf(release),
    state.status,
    `${state.stage + 1} of ${state.stages.length}`,
    `${sum(state.stages.map(({ succeeded }) => succeeded))} of ${sum(totals)}`,
    String(sum(state.stages.map(({ failed }) => failed))),
    moment(createdAt),
  ]);
  const head = ['rollout', 'release', 'status', 'stage', 'succeeded', 'failed', 'created'];
  for (const text of tableLines(head, rows)) io.print(text);
  return 0;
}

async function show(client: RegistryClient, shown: ShownRollout, line: CommandLine, io: Io): Promise<number> {
  if (line.flag('json')) {
    io.print(JSON.stringify(shown));
    return 0;
  }
  const { id, release, state, totals, createdBy, createdAt } = shown;
  const nameOf = await releaseNames(client);
  io.print(`rollout   ${id} of ${nameOf(release)}, by ${createdBy} on ${moment(createdAt)}`);
  io.print(`status    ${state.status}${state.reason === null ? '' : `: ${state.reason}`}`);
  const rows = state.stages.map((stage, at) => [
    `${at + 1}${at === state.stage ? ' *' : ''}`,
    String(totals[at] ?? 0),
    String(stage.offered),
    String(stage.succeeded),
    String(stage.failed),
  ]);
  for (const text of tableLines(['stage', 'devices', 'offered', 'succeeded', 'failed'], rows)) io.print(text);
  if (state.status === 'awaiting-approval') io.print(`somebody else than ${createdBy}: kerf rollout approve ${id}`);
  return 0;
}

async function start(client: RegistryClient, line: CommandLine, io: Io): Promise<number> {
  const release = await findRelease(client, line.required('release'));
  const request = await requestOf(line);
  const made = await client.json<ShownRollout>('POST', '/v1/rollouts', { ...request, release: release.id });
  return show(client, made, line, io);
}

async function requestOf(line: CommandLine): Promise<RolloutRequest> {
  const spec = await specOf(line.text('spec'));
  const stages = line.text('stages');
  const stage = {
    successShare: line.number('success', 0.95, { most: 1, whole: false }),
    soakMs: line.text('soak') === undefined ? 0 : durationSeconds('soak', line.required('soak')) * 1000,
    pauseAfter: line.flag('pause-after'),
  };
  const at = line.text('at');
  const count = line.text('max-failed');
  return {
    ...spec,
    stages:
      stages === undefined && spec.stages !== undefined
        ? spec.stages
        : stagesOf(stages ?? '1%,10%,rest').map((members) => ({ members, ...stage })),
    ...(line.texts('group').length + line.texts('label').length > 0
      ? { target: { groups: line.texts('group'), labels: Object.fromEntries(line.texts('label').map(pairOf)) } }
      : {}),
    errors: {
      ...spec.errors,
      ...(count === undefined ? {} : { count: line.number('max-failed', 0) }),
      ...(line.text('max-failed-share') === undefined
        ? {}
        : { share: line.number('max-failed-share', 0.05, { most: 1, whole: false }) }),
      ...(line.text('minimum-ended') === undefined
        ? {}
        : { minimumEnded: line.number('minimum-ended', 10, { least: 1 }) }),
    },
    ...(line.text('max-in-flight') === undefined
      ? {}
      : { maxInFlight: line.number('max-in-flight', 1000, { least: 1 }) }),
    ...(line.flag('roll-back-on-stop') ? { onStop: 'roll-back' as const } : {}),
    ...(line.flag('no-approval') ? { needsApproval: false } : {}),
    ...(at === undefined ? {} : { startAt: timeOf(at) }),
  };
}

async function specOf(file: string | undefined): Promise<Partial<RolloutRequest>> {
  if (file === undefined) return {};
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Partial<RolloutRequest>;
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the specification ${file} cannot be read, or is not JSON`, { cause });
  }
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw usageError(`--label must be KEY=VALUE, got '${text}'`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function timeOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw usageError(`--at must be a time such as 2026-12-01T06:00:00Z, got '${text}'`);
  return ms;
}

interface Part {
  readonly deviceId: string;
  readonly stage: number;
  readonly state: string;
  readonly previous: string | null;
  readonly endedAt: number | null;
  readonly reason: string | null;
}

async function devices(client: RegistryClient, target: string, line: CommandLine, io: Io): Promise<number> {
  const parts = await allOf<Part>(client, `${target}/devices`, 'devices');
  if (line.flag('json')) {
    io.print(JSON.stringify(parts));
    return 0;
  }
  const nameOf = await releaseNames(client);
  const rows = parts.map(({ deviceId, stage, state, previous, endedAt, reason }) => [
    deviceId,
    String(stage + 1),
    state,
    nameOf(previous),
    moment(endedAt),
    reason ?? '',
  ]);
  for (const text of tableLines(['device', 'stage', 'state', 'had', 'ended', 'reason'], rows)) io.print(text);
  return 0;
}

async function retry(client: RegistryClient, target: string, line: CommandLine, io: Io): Promise<number> {
  const device = line.required('device');
  await client.json('POST', `${target}/devices/${encodeURIComponent(device)}/retry`);
  if (line.flag('json')) io.print(JSON.stringify({ device, retried: true }));
  else io.print(`${device} will be offered the release again`);
  return 0;
}

function sum(list: readonly number[]): number {
  return list.reduce((total, value) => total + value, 0);
}
