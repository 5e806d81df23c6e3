// `kerf replay`: a recorded session judged again, and which verdicts are others than they were.
import {
  type ReplayedPart,
  type ReplayReport,
  readStationFile,
  replaySession,
  SessionFile,
} from '@kerf/edge-runtime/node';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { interruptible } from '../interruption.ts';
import { withRelease } from '../update/station-release.ts';

/** Changed verdicts that the text lists; JSON has all. */
const MOST_LISTED = 50;

export const replay: Command = {
  name: 'replay',
  usage: 'SESSION [OPTIONS]',
  summary:
    'Judges the parts of a recorded session again and compares bit for bit. The same model gives the same verdicts; with ' +
    'another one, or other thresholds, it says which differ.',
  positionals: [1, 1],
  options: {
    station: {
      type: 'string',
      value: 'FILE',
      help: 'station file to judge by (default: the one that the session names)',
    },
    'judge-by': {
      type: 'string',
      value: 'WHOSE',
      help: 'thresholds: recorded, those of each part’s time, or station, those of the file (default recorded)',
    },
    out: {
      type: 'string',
      value: 'SESSION',
      help: 'write what is judged now as a session, to look at beside the first',
    },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes:
    'Exit status 1 when a verdict or a number behind it differs. A session that a loss of power cut short is read up to there.',
  async run(line, io) {
    const session = await SessionFile.open(line.positional(0));
    try {
      const report = await run(line, session);
      if (line.flag('json')) io.print(JSON.stringify({ session: session.name, head: session.head, ...report }));
      else print(report, session, io);
      return report.changed.length === 0 ? 0 : 1;
    } finally {
      await session.close();
    }
  },
};

async function run(line: CommandLine, session: SessionFile): Promise<ReplayReport> {
  const named = line.text('station');
  const file = await withRelease(await readStationFile(named ?? session.head.file));
  if (named === undefined && file.config.station !== session.head.station) {
    throw usageError(
      `${session.head.file} is now the file of station '${file.config.station}': name one with --station`,
    );
  }
  const isQuiet = line.flag('json') || !process.stderr.isTTY;
  return await interruptible((signal) =>
    replaySession(session, file, {
      judgeBy: line.choice('judge-by', ['recorded', 'station'] as const, 'recorded'),
      out: line.text('out') ?? null,
      signal,
      onPart(_: ReplayedPart, done: number) {
        if (!isQuiet) process.stderr.write(`\r${done} of ${session.entries.length}`);
      },
    }),
  );
}

function print(report: ReplayReport, { name, head }: SessionFile, io: Io): void {
  const { parts, equal, sameVerdict, changed, skipped, releases, cut } = report;
  io.print(`${name}: ${parts} parts of ${head.station}, from ${head.startedAt}`);
  if (cut !== null) io.print(`  cut short: ${cut}`);
  const others = releases.before.filter((release) => release !== releases.now);
  if (others.length > 0) io.print(`  judged by ${others.map(short).join(', ')} then, by ${short(releases.now)} now`);
  io.print(
    `  ${equal} equal bit for bit, ${changed.length - sameVerdict} with another verdict, ${sameVerdict} with other numbers`,
  );
  const left = Object.entries(skipped).filter(([, count]) => count > 0);
  if (left.length > 0) io.print(`  not compared: ${left.map(([reason, count]) => `${count} ${reason}`).join(', ')}`);
  const listed = [...changed].sort(
    (a, b) => Number(a.before.verdict === a.now.verdict) - Number(b.before.verdict === b.now.verdict),
  );
  for (const { resultId, partId, before, now } of listed.slice(0, MOST_LISTED)) {
    io.print(`  ${partId ?? resultId}: ${before.verdict} ${score(before.score)} -> ${now.verdict} ${score(now.score)}`);
  }
  if (listed.length > MOST_LISTED) io.print(`  and ${listed.length - MOST_LISTED} more; --json has all`);
}

function score(value: number | null): string {
  return value === null ? '-' : value.toFixed(4);
}

function short(hash: string): string {
  return hash.slice(0, 12);
}
