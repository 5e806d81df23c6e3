// `kerf station`: one inspection point as a process. Pictures in, verdicts out; SIGTERM drains.
import process from 'node:process';
import { STATION_SCHEMA } from '@kerf/edge-runtime';
import {
  checkStation,
  type OpenedStation,
  openStation,
  openStatusDoor,
  readStationFile,
  type StationFile,
  watchFile,
} from '@kerf/edge-runtime/node';
import { KerfError, messageOf, systemClock } from '@kerf/protocol';
import { growHeapFreely } from '@kerf/protocol/node';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { checkLines } from '../station/check-text.ts';
import { liveLine } from '../station/live-line.ts';
import { StationReporter } from '../station/reporter.ts';
import { picturesOf } from '../update/shadow-run.ts';
import { deviceOf, withRelease } from '../update/station-release.ts';
import { UpdateDesk } from '../update/update-desk.ts';

/** Between two live lines. */
const LIVE_MS = 500;
/** For provisional parts, when the source has ended and nothing outlives the process. */
const SETTLE_MS = 30_000;

export const station: Command = {
  name: 'station',
  usage: 'FILE [OPTIONS]',
  summary:
    'Runs an inspection station as FILE (YAML or JSON) says: source, preprocessing, model, cloud, thresholds, deadline, ' +
    'sinks. Every part gets a verdict in time: PASS, REVIEW, NG, NO_READ or ERROR; no result is never PASS.',
  positionals: [0, 1],
  options: {
    schema: { type: 'boolean', help: 'print the JSON Schema of station files, and end' },
    record: {
      type: 'string',
      value: 'SESSION',
      help: 'record pictures and records into this new .mcap file, for kerf replay',
    },
    check: {
      type: 'boolean',
      help: 'say what FILE would run, or what of it is missing here, and end',
    },
    quiet: { type: 'boolean', help: 'print no line for each part' },
    json: { type: 'boolean', help: 'one JSON object a line: records, states, faults, a summary' },
  },
  notes:
    'Ends when the source has come to its end. SIGTERM or Ctrl-C stops taking pictures in and waits until every part ' +
    'has its record; a second one ends at once, by that signal. Thresholds, tasks and sinks are taken over when FILE changes. ' +
    'Exit status 1 when a record was lost.',
  lasts: () => true,
  async run(line, io) {
    if (line.flag('schema')) {
      io.print(JSON.stringify(STATION_SCHEMA, null, 2));
      return 0;
    }
    const [path] = line.positionals;
    if (path === undefined) throw usageError("usage: kerf station FILE; see 'kerf help station'");
    const file = await readStationFile(path);
    if (line.flag('check')) {
      await checkStation(file, deviceOf(file) !== null);
      describe(file, line, io);
      return 0;
    }
    if (line.text('record') !== undefined && file.config.record !== null) {
      throw usageError('--record is for a file without its own record: this one records already');
    }
    return runStation(await withRelease(file, true), deviceOf(file), line, io);
  },
};

function describe(file: StationFile, line: CommandLine, io: Io): void {
  if (line.flag('json'))
    io.print(JSON.stringify({ kind: 'check', file: file.path, sha256: file.sha256, config: file.config }));
  else for (const text of checkLines(file)) io.print(text);
}

/** @param device folder of the device whose release it runs; null where it runs a model */
async function runStation(file: StationFile, device: string | null, line: CommandLine, io: Io): Promise<number> {
  growHeapFreely();
  const isLive = process.stdout.isTTY && !line.flag('json');
  const reporter = new StationReporter(io, { json: line.flag('json'), quiet: line.flag('quiet') || isLive });
  const opened = await openStation(file, {
    onOutbox: (event) => reporter.outbox(event),
    onSwitch: (change) => reporter.switched(change),
    onNotice: (message) => reporter.notice(message),
  });
  const { station, recorder } = opened;
  station.onEvent((event) => reporter.event(event));
  opened.onLink((status) => reporter.link(status));
  const signalled = signals();
  const ends: (() => unknown)[] = [() => signalled.off()];
  let undelivered: number | null = null;
  try {
    const session = line.text('record');
    if (session !== undefined) await recorder.start(session);
    await station.start();
    const { status } = file.config;
    const door = status === null ? null : await openStatusDoor(file.config.station, opened, status.port);
    if (door !== null) ends.push(() => door.close());
    reporter.started(file, station.snapshot, door?.url ?? null);
    if (isLive) ends.push(everyHalfSecond(() => process.stdout.write(liveLine(station.snapshot))));
    ends.push(watchFile(file.path, file.sha256, systemClock, () => reload(file.path, opened, reporter)));
    if (device !== null) {
      const desk = await followUpdates(device, opened, reporter, await readStationFile(file.path));
      ends.push(() => desk.close());
    }
    await Promise.race([station.ended.then(() => settled(opened, file)), signalled.first]);
  } finally {
    // A second signal does not wait: what has no record yet is lost, what the outbox holds is not.
    undelivered = await Promise.race([closed(opened, ends), signalled.second.then(() => null)]);
  }
  if (isLive) process.stdout.write('\n');
  reporter.summary(station.snapshot, undelivered, file.config.outbox !== null);
  if (undelivered === null) endBy(await signalled.second);
  return reporter.faults > 0 || undelivered === null ? 1 : 0;
}

/** @returns records that some sink has not taken */
async function closed(opened: OpenedStation, ends: readonly (() => unknown)[]): Promise<number> {
  const undelivered = await opened.close();
  for (const end of ends) await end();
  return undelivered;
}

/** A source that has ended leaves time for the parts that are to be judged again, where nothing would do it later. */
async function settled({ station }: OpenedStation, { config }: StationFile): Promise<void> {
  const endMs = systemClock.nowMs() + SETTLE_MS;
  while (config.outbox === null && station.snapshot.unsettled > 0 && systemClock.nowMs() < endMs) {
    await new Promise<void>((resolve) => void systemClock.after(LIVE_MS, resolve));
  }
}

/** What `kerf update` and `kerf devices follow` switch to, the line runs from its next frame on. */
function followUpdates(
  device: string,
  opened: OpenedStation,
  reporter: StationReporter,
  file: StationFile,
): Promise<UpdateDesk> {
  const told = (error: unknown): void => {
    const { code, message } = KerfError.from(error, 'INTERNAL', messageOf(error));
    reporter.notReloaded(code, message);
  };
  return UpdateDesk.open({
    file,
    device,
    onPicture: (listener) => picturesOf(opened.station, listener),
    async reload(next) {
      reporter.reloaded(next.sha256, await opened.reload(next));
    },
    onChange({ ended }) {
      if (ended?.step === 'apply' && ended.fault !== null) told(new KerfError(ended.fault.code, ended.fault.message));
    },
    onFault: told,
  });
}

/** A broken new version of the file is told, and the old one stays. */
async function reload(path: string, opened: OpenedStation, reporter: StationReporter): Promise<void> {
  try {
    const file = await withRelease(await readStationFile(path));
    reporter.reloaded(file.sha256, await opened.reload(file));
  } catch (error) {
    const { code, message } = KerfError.from(error, 'INTERNAL', messageOf(error));
    reporter.notReloaded(code, message);
  }
}

function everyHalfSecond(task: () => void): () => void {
  const timer = setInterval(task, LIVE_MS);
  return () => clearInterval(timer);
}

interface Signals {
  readonly first: Promise<NodeJS.Signals>;
  readonly second: Promise<NodeJS.Signals>;
  off(): void;
}

/** A second signal does not wait; behind it the system's own handling is back. */
function signals(): Signals {
  const resolvers: ((signal: NodeJS.Signals) => void)[] = [];
  const next = (): Promise<NodeJS.Signals> =>
    new Promise((resolve) => {
      resolvers.push(resolve);
    });
  const first = next();
  const second = next();
  const onSignal = (signal: NodeJS.Signals): void => {
    resolvers.shift()?.(signal);
    if (resolvers.length === 0) off();
  };
  const off = (): void => void process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return { first, second, off };
}

/**
 * Ends the process as if nobody had listened for `signal`. Not by `process.exit`: it takes threads away from the middle of a
 * native call, and ONNX Runtime's binding then aborts.
 */
function endBy(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}
