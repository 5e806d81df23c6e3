// `kerf inspect`: a station, and the Inspector's page to watch it by.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { CertificateEvent } from '@kerf/access';
import { messageOf } from '@kerf/protocol';
import { growHeapFreely } from '@kerf/protocol/node';
import type { Command, CommandLine, Io } from '../command.ts';
import { prepareDemoLine } from '../inspect/demo-line.ts';
import { ACCESS_OPTIONS, type InspectorAccess, inspectorAccess } from '../inspect/inspector-access.ts';
import { closeLines, openLines } from '../inspect/open-lines.ts';
import { type InspectorAddress, serveInspector } from '../inspect/serve-inspector.ts';

/** Lines in one page: each is a station of its own in this process. */
const MAX_LINES = 16;

export const inspect: Command = {
  name: 'inspect',
  usage: '[FILE|ADDRESS...] [OPTIONS]',
  summary:
    'Runs the station of FILE and serves the Inspector, a page with the line, results and their reasons, thresholds and ' +
    'health. Several files are several lines, with a page over all of them; the address that another ' +
    'machine’s kerf inspect has printed is a line as well. Without FILE a demo line runs. The address ' +
    'that is printed is the key: whoever has it has the role.',
  positionals: [0, MAX_LINES],
  options: {
    ...ACCESS_OPTIONS,
    ca: {
      type: 'string',
      value: 'FILE',
      help: 'with addresses of other machines: PEM of what their certificates are signed by',
    },
    json: { type: 'boolean', help: 'print {"event":"listening","url":...} and faults as JSON lines' },
  },
  notes:
    'The station ends with SIGTERM or Ctrl-C; until then a source that has come to its end leaves its results to look at.',
  lasts: () => true,
  async run(line, io) {
    growHeapFreely();
    const say = sayTo(line, io);
    const access = await inspectorAccess(line, (told) => say(told.event, certificateText(told)));
    const ended = signalled();
    const paths = line.positionals;
    if (paths.length > 0) {
      await watch({ paths, access, ended, onStarted: () => {} }, line, io);
      return 0;
    }
    const temporary = await mkdtemp(join(tmpdir(), 'kerf-demo-line-'));
    try {
      const demo = await prepareDemoLine(temporary);
      await watch({ paths: [demo.stationPath], access, ended, onStarted: () => demo.feed() }, line, io);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    return 0;
  },
};

interface Watched {
  readonly paths: readonly string[];
  readonly access: InspectorAccess;
  readonly ended: Promise<void>;
  readonly onStarted: () => void;
}

async function watch({ paths, access, ended, onStarted }: Watched, line: CommandLine, io: Io): Promise<void> {
  const isJson = line.flag('json');
  const say = sayTo(line, io);
  const lines = await openLines(paths, line.text('ca') ?? null, say);
  try {
    const served = await serveInspector(
      lines.map((one) => ('connect' in one ? one : one.service)),
      { ...access, onError: (error) => say('fault', messageOf(error)) },
    );
    try {
      for (const one of lines) if ('opened' in one) await one.opened.station.start();
      onStarted();
      const { fingerprint } = access;
      const { addresses } = served;
      const [{ url } = { url: '' }] = addresses;
      if (isJson) io.print(JSON.stringify({ event: 'listening', url, addresses, fingerprint }));
      else for (const text of invitation(addresses, fingerprint)) io.print(text);
      await ended;
    } finally {
      await served.close();
    }
  } finally {
    await closeLines(lines);
  }
}

function sayTo(line: CommandLine, io: Io): (event: string, message: string) => void {
  const isJson = line.flag('json');
  return (event, message) => io.print(isJson ? JSON.stringify({ event, message }) : `${event}: ${message}`);
}

function certificateText(told: CertificateEvent): string {
  return told.event === 'certificate-unusable' ? `${told.reason}; the one before goes on` : `it ends ${told.validTo}`;
}

function invitation(addresses: readonly InspectorAddress[], fingerprint: string | null): string[] {
  const lines =
    addresses.length === 1
      ? [`kerf Inspector at ${addresses[0]?.url}`]
      : ['kerf Inspector at', ...addresses.map(({ role, url }) => `  ${role.padEnd(8)}  ${url}`)];
  const certificate = [
    '  A browser that does not know the certificate warns once; compare its SHA-256 fingerprint before you go on:',
    `  ${fingerprint}`,
  ];
  return [...lines, ...(fingerprint === null ? [] : certificate), '  stop with Ctrl-C'];
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}
