// A device's folder and a registry -> rounds of following it, until told to stop.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Device, MirrorSet } from '@kerf/delta-sync';
import { KerfError, messageOf, systemClock } from '@kerf/protocol';
import {
  type FollowReport,
  followRegistry,
  type RegistryClient,
  registryMirror,
  type ToldFailures,
} from '@kerf/registry';
import type { CommandLine, Io } from '../command.ts';
import { checkInterrupted, interruptible } from '../interruption.ts';
import { mirrorOf } from '../publish/read-repository.ts';
import { durationSeconds } from '../units.ts';
import { deviceFacts, noteHealth, providerOf } from '../update/device-facts.ts';
import { type DeviceSettings, deviceOptions, readSettings } from '../update/device-folder.ts';

const TOLD = 'told-registry.json';
/** After a round that failed: the registry is away, or the link is. */
const RETRY_SECONDS = 30;

/** @param folder of the device, as `kerf update init` makes it */
export async function followDevice(folder: string, client: RegistryClient, line: CommandLine, io: Io): Promise<number> {
  const every = line.text('every');
  const seconds = every === undefined ? null : durationSeconds('every', every);
  const provider = await providerOf();
  const round = async (signal: AbortSignal): Promise<FollowReport> => {
    // Read in each round: they may be changed while it follows.
    const settings = await readSettings(folder);
    const golden: Promise<void>[] = [];
    const options = await deviceOptions(folder, [], (event) => {
      if (event.kind === 'golden') golden.push(noteHealth(folder, { golden: event.report }));
    });
    const mirrors = await Promise.all(settings.mirrors.map((place) => mirrorOf(place, settings)));
    const device = await Device.open({
      ...options,
      mirrors: new MirrorSet({
        mirrors: [registryMirror(client, 'the registry'), ...mirrors],
        clock: systemClock,
        bytesPerSecond: settings.bytesPerSecond,
      }),
    });
    const facts = await deviceFacts(device, folder, provider);
    try {
      return await followRegistry({
        client,
        device,
        name: settings.name,
        facts,
        told: toldIn(folder),
        isHeld: isHeld(settings),
        signal,
      });
    } finally {
      await Promise.all(golden);
    }
  };
  return interruptible(async (signal) => {
    for (;;) {
      const waitSeconds = await oneRound(round, signal, line, io);
      if (line.flag('once')) return 0;
      await pause(seconds ?? waitSeconds, signal);
      if (signal.aborted) return 0;
    }
  });
}

/** Somebody at the device has said that it is to be left as it is. */
function isHeld({ automatic, pinned }: DeviceSettings): boolean {
  return !automatic || pinned !== null;
}

/** @returns seconds to the next one. @throws {KerfError} with --once what went wrong */
async function oneRound(
  round: (signal: AbortSignal) => Promise<FollowReport>,
  signal: AbortSignal,
  line: CommandLine,
  io: Io,
): Promise<number> {
  try {
    const report = await round(signal);
    io.print(line.flag('json') ? JSON.stringify(report) : textOf(report));
    return report.checkAfterSeconds;
  } catch (error) {
    if (line.flag('once') || !KerfError.is(error)) throw error;
    await checkInterrupted(signal, 'following the registry');
    io.print(
      line.flag('json')
        ? JSON.stringify({ wish: null, outcome: 'away', reason: error.message, checkAfterSeconds: RETRY_SECONDS })
        : `${error.code}: ${messageOf(error)}; what is installed stays`,
    );
    return RETRY_SECONDS;
  }
}

function textOf({ wish, outcome, reason }: FollowReport): string {
  if (outcome === 'probation') return 'a release is on probation: kerf update confirm, or rollback';
  if (wish === null) return 'the registry wants nothing of this device';
  const words = {
    kept: 'is installed',
    held: 'is wanted, and this device is pinned or left alone: kerf update set',
    waiting: 'is staged, and waits for the maintenance window',
    switched: 'runs from now on',
    failed: `failed: ${reason ?? ''}`,
  };
  return `${wish.name} ${wish.version} (${wish.because}) ${words[outcome]}`;
}

function toldIn(folder: string): ToldFailures {
  const file = join(folder, TOLD);
  return {
    async read() {
      try {
        const value = JSON.parse(await readFile(file, 'utf8')) as unknown;
        return Array.isArray(value) ? value.filter((id) => typeof id === 'string') : [];
      } catch {
        // Not there yet, or cut short: saying a failure twice does no harm.
        return [];
      }
    },
    async write(ids) {
      await writeFile(`${file}.part`, JSON.stringify(ids));
      await rename(`${file}.part`, file);
    },
  };
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
