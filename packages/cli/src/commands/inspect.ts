// `kerf inspect`: a station, and the Inspector's page to watch it by.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { ROLES } from '@kerf/bridge';
import { messageOf } from '@kerf/protocol';
import { type Command, type CommandLine, type Io, usageError } from '../command.ts';
import { prepareDemoLine } from '../inspect/demo-line.ts';
import { openInspected } from '../inspect/open-inspected.ts';
import { serveInspector } from '../inspect/serve-inspector.ts';

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

export const inspect: Command = {
  name: 'inspect',
  usage: '[FILE] [OPTIONS]',
  summary:
    'Runs the station of FILE and serves the Inspector, a page with the line, results and their reasons, thresholds and ' +
    'health. Without FILE a demo line runs. The address that is printed is the key: whoever has it has the role.',
  positionals: [0, 1],
  options: {
    role: { type: 'string', value: 'ROLE', help: `what the page may do: ${ROLES.join(', ')} (default engineer)` },
    host: { type: 'string', value: 'HOST', help: 'address of this machine to listen on (default 127.0.0.1)' },
    port: { type: 'string', value: 'N', help: 'port to listen on (default 0, a free one)' },
    json: { type: 'boolean', help: 'print {"url":...} and faults as JSON lines' },
  },
  notes:
    'The station ends with SIGTERM or Ctrl-C; until then a source that has come to its end leaves its results to look at.',
  async run(line, io) {
    const host = line.text('host') ?? '127.0.0.1';
    if (!LOOPBACK.includes(host)) throw usageError(`--host ${host}: plain http is for this machine; use 127.0.0.1`);
    const isJson = line.flag('json');
    const say = (event: string, message: string): void =>
      io.print(isJson ? JSON.stringify({ event, message }) : `${event}: ${message}`);
    const ended = signalled();
    const [path] = line.positionals;
    const temporary = path === undefined ? await mkdtemp(join(tmpdir(), 'kerf-demo-line-')) : null;
    try {
      const demo = temporary === null ? null : await prepareDemoLine(temporary);
      await watch(
        { stationPath: demo?.stationPath ?? path ?? '', onStarted: () => demo?.feed(), host, ended, say },
        line,
        io,
      );
    } finally {
      if (temporary !== null) await rm(temporary, { recursive: true, force: true });
    }
    return 0;
  },
};

interface Watched {
  readonly stationPath: string;
  readonly host: string;
  readonly ended: Promise<void>;
  readonly onStarted: () => void;
  readonly say: (event: string, message: string) => void;
}

async function watch({ stationPath, host, ended, onStarted, say }: Watched, line: CommandLine, io: Io): Promise<void> {
  const { opened, service, close } = await openInspected(stationPath, {
    onOutbox: (event) => {
      if (event.kind === 'sink-blocked') say(`sink ${event.sink}`, event.message);
    },
    onFault: (error) => say('fault', messageOf(error)),
  });
  try {
    const served = await serveInspector(service, {
      host,
      port: line.number('port', 0, { most: 65_535 }),
      tls: null,
      role: line.choice('role', ROLES, 'engineer'),
      onError: (error) => say('fault', messageOf(error)),
    });
    try {
      await opened.station.start();
      onStarted();
      const { url } = served;
      if (line.flag('json')) io.print(JSON.stringify({ event: 'listening', url }));
      else for (const text of [`kerf Inspector at ${url}`, '  stop with Ctrl-C']) io.print(text);
      await ended;
    } finally {
      await served.close();
    }
  } finally {
    await close();
  }
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}
