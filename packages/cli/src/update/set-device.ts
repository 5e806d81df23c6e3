// The line of `kerf update init` or `kerf update set` -> what a device keeps of it.
import { resolve } from 'node:path';
import { parseMaintenanceWindow, SIDES } from '@kerf/delta-sync';
import { isAddress } from '../addresses.ts';
import { type CommandLine, type Io, usageError } from '../command.ts';
import { type MirrorAccess, mirrorAccess, readRoot } from '../publish/read-repository.ts';
import { shellWord } from '../shell-word.ts';
import { formatBytes } from '../units.ts';
import { initDevice, readSettings, writeSettings } from './device-folder.ts';

/** A device is updated from other folders than the one that it was made in. */
function absolute({ tokenFile, ca }: MirrorAccess): MirrorAccess {
  return { tokenFile: tokenFile === null ? null : resolve(tokenFile), ca: ca === null ? null : resolve(ca) };
}

export async function init(line: CommandLine, io: Io): Promise<number> {
  const folder = line.required('device');
  const side = line.choice('side', [...SIDES, 'all'] as const, 'edge');
  const mirrors = mirrorsOf(line);
  if (mirrors.length === 0) throw usageError('--mirror is needed: where the repository is');
  const settings = {
    name: line.required('name'),
    mirrors,
    side: side === 'all' ? null : side,
    window: windowOf(line) ?? null,
    ...absolute(mirrorAccess(line)),
    bytesPerSecond: rateOf(line) ?? null,
    automatic: true,
    pinned: null,
  };
  await initDevice(folder, settings, await readRoot(line.required('root')));
  if (line.flag('json')) io.print(JSON.stringify({ device: folder, settings }));
  else io.print(`${folder} is a device for ${settings.name}; next: kerf update apply --device ${shellWord(folder)}`);
  return 0;
}

export async function set(line: CommandLine, io: Io): Promise<number> {
  const folder = line.required('device');
  const pin = line.text('pin');
  const window = windowOf(line);
  const bytesPerSecond = rateOf(line);
  const mirrors = mirrorsOf(line);
  const { tokenFile, ca } = absolute(mirrorAccess(line));
  const settings = {
    ...(await readSettings(folder)),
    ...(tokenFile === null ? {} : { tokenFile }),
    ...(ca === null ? {} : { ca }),
    ...(mirrors.length === 0 ? {} : { mirrors }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    ...(window === undefined ? {} : { window }),
    ...(pin === undefined ? {} : { pinned: pin === 'none' ? null : pin }),
    ...(line.text('automatic') === undefined
      ? {}
      : { automatic: line.choice('automatic', ['on', 'off'] as const, 'on') === 'on' }),
  };
  await writeSettings(folder, settings);
  if (line.flag('json')) io.print(JSON.stringify({ device: folder, settings }));
  else {
    const { automatic, pinned, window: hours, bytesPerSecond: rate } = settings;
    io.print(
      `automatic ${automatic ? 'on' : 'off'}, pinned to ${pinned ?? 'nothing'}, switched ${hours ?? 'at any time'}`,
    );
    io.print(
      `from ${settings.mirrors.join(', ')}, ${rate === null ? 'at any rate' : `${formatBytes(rate)} a second at most`}`,
    );
  }
  return 0;
}

/** @throws {KerfError} INVALID_ARGUMENT for an address that is none: now, not at the next update. */
function mirrorsOf(line: CommandLine): readonly string[] {
  const places = line.texts('mirror');
  for (const place of places) {
    if (place === '' || (isAddress(place) && !isUrl(place)))
      throw usageError(`--mirror '${place}' is neither an address nor a folder`);
  }
  return places;
}

function isUrl(place: string): boolean {
  try {
    return new URL(place).hostname !== '';
  } catch {
    return false;
  }
}

/** Undefined where the line says nothing. @throws {KerfError} INVALID_ARGUMENT. */
function rateOf(line: CommandLine): number | null | undefined {
  const rate = line.text('max-rate');
  if (rate === undefined || rate === 'none') return rate === undefined ? undefined : null;
  return line.number('max-rate', 0, { least: 1 });
}

/** Undefined where the line says nothing. @throws {KerfError} INVALID_ARGUMENT. */
function windowOf(line: CommandLine): string | null | undefined {
  const window = line.text('window');
  if (window === undefined || window === 'none') return window === undefined ? undefined : null;
  parseMaintenanceWindow(window);
  return window;
}
