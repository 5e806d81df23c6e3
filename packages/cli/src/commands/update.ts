// `kerf update`: a device's releases from the command line: look, install, confirm, go back.
import type { DeviceEvent, DeviceState } from '@kerf/delta-sync';
import { Device } from '@kerf/delta-sync';
import { slotFolder } from '@kerf/delta-sync/node';
import { type Command, type CommandLine, type Io, type OptionSpec, usageError } from '../command.ts';
import { interruptible } from '../interruption.ts';
import { ACCESS_OPTIONS } from '../publish/read-repository.ts';
import { formatBytes } from '../units.ts';
import { deviceOptions, readSettings } from '../update/device-folder.ts';
import { init, set } from '../update/set-device.ts';

const INIT_ACCESS: Readonly<Record<string, OptionSpec>> = Object.fromEntries(
  Object.entries(ACCESS_OPTIONS).map(([name, spec]) => [name, { ...spec, help: `init, set: ${spec.help}` }]),
);

export const update: Command = {
  name: 'update',
  usage: 'init|set|status|check|apply|start|confirm|rollback --device DIR [OPTIONS]',
  summary:
    'Keeps a device current: two slots in a folder, of which one runs. Nothing is installed that its publisher did not sign, ' +
    'and a power cut at any moment leaves the old or the new release.',
  positionals: [1, 1],
  options: {
    device: { type: 'string', value: 'DIR', help: 'folder of the device' },
    mirror: {
      type: 'string',
      multiple: true,
      value: 'PLACE',
      help: 'init, set: an address, a folder, a stick; may be repeated, and replaces those before. check, apply: in their place, this once',
    },
    name: { type: 'string', value: 'NAME', help: 'init: the model that it runs' },
    root: { type: 'string', value: 'FILE', help: "init: its publisher's root.json" },
    side: { type: 'string', value: 'SIDE', help: 'init: edge, cloud or all (default edge)' },
    window: {
      type: 'string',
      value: 'TIMES',
      help: "init, set: when it may be switched, local time, such as '22:00-05:00'; 'none' for at any time",
    },
    pin: { type: 'string', value: 'V', help: "set: the only version that it installs; 'none' for the newest" },
    automatic: {
      type: 'string',
      value: 'MODE',
      help: 'set: on, or off: nothing is looked for, fetched and followed by itself (default on)',
    },
    ...INIT_ACCESS,
    'max-rate': {
      type: 'string',
      value: 'BYTES',
      help: "init, set: bytes per second that updates may take; 'none' for no limit",
    },
    version: { type: 'string', value: 'V', help: 'check, apply: this version (default: the newest)' },
    'allow-older': { type: 'boolean', help: 'check, apply: also one below what it has run' },
    reason: { type: 'string', value: 'TEXT', help: 'rollback: why, for the record' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: [
    'kerf update init --device DIR --name NAME --root root.json --mirror PLACE  makes the device',
    'kerf update set --device DIR --pin 2.0 --automatic off  holds it at a version, and leaves it alone',
    'kerf update set --device DIR --mirror PLACE --max-rate 200000  from there from now on, and no faster',
    'kerf update check --device DIR       is there something newer?',
    'kerf update apply --device DIR       fetches, checks, runs the golden samples, switches',
    'kerf update start --device DIR       at each start of the station: three on probation without confirm, and it goes back',
    'kerf update confirm --device DIR     the new release has proved itself',
    'kerf update rollback --device DIR    the release before; the one that is left is not tried again by itself',
  ].join('\n'),
  run(line, io) {
    const action = line.positional(0);
    const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (run === undefined)
      throw usageError(`'kerf update ${action}' is not known; use ${Object.keys(ACTIONS).join(', ')}`);
    return run(line, io);
  },
};

const ACTIONS: Readonly<Record<string, (line: CommandLine, io: Io) => Promise<number>>> = {
  init,
  set,
  status: (line, io) => withDevice(line, io, async () => ({})),
  check: (line, io) =>
    withDevice(line, io, async (device) => {
      const candidate = await device.check(wanted(line));
      const found =
        candidate === null
          ? null
          : { version: candidate.release.version, id: candidate.release.sha256, notes: candidate.manifest.notes };
      if (!line.flag('json'))
        io.print(
          found === null
            ? 'nothing newer'
            : `${found.version} can be installed${found.notes === '' ? '' : `: ${found.notes}`}`,
        );
      return { candidate: found };
    }),
  apply: (line, io) =>
    withDevice(line, io, async (device) => {
      const outcome = await interruptible((signal) => device.update({ ...wanted(line), signal }));
      const texts = {
        current: 'nothing newer',
        waiting: 'staged; it is switched to in the maintenance window',
        switched: device.state.trialStarts === null ? 'installed' : 'switched; on probation until kerf update confirm',
      };
      if (!line.flag('json')) io.print(texts[outcome]);
      return { outcome };
    }),
  start: async (line, io) => {
    const options = await deviceOptions(line.required('device'), [], () => {});
    await printState(line, io, (await Device.start(options)).state, { events: [] });
    return 0;
  },
  confirm: (line, io) =>
    withDevice(line, io, async (device) => {
      await device.confirm();
      return {};
    }),
  rollback: (line, io) =>
    withDevice(line, io, async (device) => {
      await device.rollBack(line.text('reason') ?? { kind: 'by-hand' });
      return {};
    }),
};

function wanted(line: CommandLine): { version: string | null; allowOlder: boolean } {
  return { version: line.text('version') ?? null, allowOlder: line.flag('allow-older') };
}

async function withDevice(line: CommandLine, io: Io, work: (device: Device) => Promise<object>): Promise<number> {
  const folder = line.required('device');
  const events: DeviceEvent[] = [];
  const options = await deviceOptions(folder, line.texts('mirror'), (event) => {
    events.push(event);
    if (!line.flag('json')) for (const text of eventTexts(event)) io.print(text);
  });
  const device = await Device.open(options);
  const result = await work(device);
  await printState(line, io, device.state, { ...result, events });
  return 0;
}

function eventTexts(event: DeviceEvent): string[] {
  if (event.kind === 'fetched') {
    const { name, way, fetchedBytes, resumedBytes, fallbackMessage } = event.file;
    const there = resumedBytes > 0 ? `, ${formatBytes(resumedBytes)} were there` : '';
    const fetched = `  ${name}  ${way}, ${formatBytes(fetchedBytes)} fetched${there}`;
    return fallbackMessage === null ? [fetched] : [fetched, `    a cheaper way was given up: ${fallbackMessage}`];
  }
  if (event.kind === 'golden') {
    const { samples, worst, backend } = event.report;
    return [`  ${samples} golden samples on ${backend}: ${(100 * worst).toFixed(1)} % of what is allowed`];
  }
  return [];
}

async function printState(line: CommandLine, io: Io, state: DeviceState, more: object): Promise<void> {
  const folder = line.required('device');
  const { active, previous, trialStarts, rejected, floor } = state;
  const path = active === null ? null : slotFolder(folder, active.slot);
  if (line.flag('json')) {
    const { name } = await readSettings(folder);
    io.print(JSON.stringify({ device: folder, name, active, previous, trialStarts, floor, rejected, path, ...more }));
    return;
  }
  if (active === null) io.print('no release is installed');
  else
    io.print(
      `running ${active.name} ${active.version} in ${path ?? ''}${trialStarts === null ? '' : `, on probation, ${trialStarts} starts`}`,
    );
  if (previous !== null) io.print(`before it: ${previous.version}`);
  for (const { version, reason } of rejected) io.print(`not again by itself: ${version} (${reason})`);
}
