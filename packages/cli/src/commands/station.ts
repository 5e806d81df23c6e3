// `kerf station`: one inspection point as a process. Pictures in, verdicts out; SIGTERM drains.
import process from 'node:process';
import { STATION_SCHEMA } from '@kerf/edge-runtime';
import { openStation, readStationFile } from '@kerf/edge-runtime/node';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { checkLines } from '../station/check-text.ts';
import { liveLine } from '../station/live-line.ts';
import { StationReporter } from '../station/reporter.ts';

/** Between two live lines. */
const LIVE_MS = 500;

export const station: Command = {
  name: 'station',
  usage: 'FILE [OPTIONS]',
  summary:
    'Runs an inspection station as FILE (YAML or JSON) says: source, preprocessing, model, cloud, thresholds, deadline, ' +
    'sinks. Every part gets a verdict in time: PASS, REVIEW, NG, NO_READ or ERROR; no result is never PASS.',
  positionals: [0, 1],
  options: {
    schema: { type: 'boolean', help: 'print the JSON Schema of station files, and end' },
    check: { type: 'boolean', help: 'say what FILE would run, and end' },
    quiet: { type: 'boolean', help: 'print no line for each part' },
    json: { type: 'boolean', help: 'one JSON object a line: records, states, faults, a summary' },
  },
  notes:
    'Ends when the source has come to its end. SIGTERM or Ctrl-C stops taking pictures in and waits until every part ' +
    'has its record; a second one ends at once. Exit status 1 when a record could not be handed on.',
  async run(line, io) {
    if (line.flag('schema')) {
      io.print(JSON.stringify(STATION_SCHEMA, null, 2));
      return 0;
    }
    const [path] = line.positionals;
    if (path === undefined) throw usageError("usage: kerf station FILE; see 'kerf help station'");
    const file = await readStationFile(path);
    if (line.flag('check')) {
      check(file, line, io);
      return 0;
    }
    return runStation(file, line, io);
  },
};

function check(file: Awaited<ReturnType<typeof readStationFile>>, line: CommandLine, io: Io): void {
  if (line.flag('json'))
    io.print(JSON.stringify({ kind: 'check', file: file.path, sha256: file.sha256, config: file.config }));
  else for (const text of checkLines(file)) io.print(text);
}

async function runStation(
  file: Awaited<ReturnType<typeof readStationFile>>,
  line: CommandLine,
  io: Io,
): Promise<number> {
  const isLive = process.stdout.isTTY && !line.flag('json');
  const reporter = new StationReporter(io, { json: line.flag('json'), quiet: line.flag('quiet') || isLive });
  const opened = await openStation(file, { onSinkFault: (sink, message) => reporter.sinkFault(sink, message) });
  const { station } = opened;
  station.onEvent((event) => reporter.event(event));
  opened.onLink((status) => reporter.link(status));
  const signalled = signals();
  const live = isLive ? setInterval(() => process.stdout.write(liveLine(station.snapshot)), LIVE_MS) : undefined;
  try {
    await station.start();
    reporter.started(file, station.snapshot);
    await Promise.race([station.ended, signalled.first]);
    await Promise.race([opened.close(), signalled.second]);
  } finally {
    clearInterval(live);
    signalled.off();
  }
  if (isLive) process.stdout.write('\n');
  reporter.summary(station.snapshot);
  return reporter.faults > 0 ? 1 : 0;
}

interface Signals {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  off(): void;
}

/** A second signal does not wait. */
function signals(): Signals {
  const resolvers: (() => void)[] = [];
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      resolvers.push(resolve);
    });
  const first = next();
  const second = next();
  let count = 0;
  const onSignal = (): void => resolvers[count++]?.();
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return { first, second, off: () => void process.off('SIGTERM', onSignal).off('SIGINT', onSignal) };
}
