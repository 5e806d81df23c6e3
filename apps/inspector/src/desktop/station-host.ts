// Station files and addresses (or the demo line) and ports from the main process -> stations that answer each page's bridge.
import process from 'node:process';
import { type InspectorService, portTransport, relayBridge, serveBridge } from '@kerf/bridge';
import { closeLines, type OpenedLine, openLines, prepareDemoLine } from '@kerf/cli/inspect';
import { isDiskFull, KerfError, messageOf } from '@kerf/protocol';
import { connectPatiently } from '@kerf/protocol/node';
import { DesktopMedia } from './desktop-media.ts';
import { type ParentPort, portOf } from './electron-port.ts';

connectPatiently();
const parentPort = (process as unknown as { parentPort: ParentPort }).parentPort;
/** The one at the machine is its engineer. */
const CALLER = { name: 'desktop', role: 'engineer' } as const;

const AGAIN_MS = 10_000;

const media = new DesktopMedia(parentPort);

/** To the terminal that started the app, where there is one. */
function say(what: unknown): void {
  process.stderr.write(`${what instanceof Error ? (what.stack ?? what.message) : String(what)}\n`);
}

/** All of them run, or none. */
async function startLines(): Promise<readonly OpenedLine[]> {
  const isDemo = process.argv.includes('--demo');
  const given = process.argv.slice(process.argv.indexOf(isDemo ? '--demo' : '--lines') + 1);
  const demo = isDemo ? await prepareDemoLine(given[0] ?? '') : null;
  const authority = process.argv.indexOf('--ca');
  const ca = isDemo || authority < 0 ? null : (process.argv[authority + 1] ?? null);
  const lines = await openLines(
    demo === null ? given : [demo.stationPath],
    ca,
    (event, message) => say(`${event}: ${message}`),
    media,
  );
  try {
    for (const line of lines) if ('opened' in line) await line.opened.station.start();
  } catch (error) {
    await closeLines(lines);
    throw error;
  }
  demo?.feed();
  return lines;
}

/** Somebody may mend what is wrong meanwhile: a file, a disk, a camera. */
function startUntilRunning(): Promise<readonly OpenedLine[]> {
  const attempt = startLines();
  attempt.catch((error: unknown) => {
    say(error);
    setTimeout(() => {
      starting = startUntilRunning();
    }, AGAIN_MS);
  });
  return attempt;
}

/** What a page hears of a station that does not start: why, to each call. */
function notStarted(error: unknown): InspectorService {
  const fault = isDiskFull(error)
    ? new KerfError('DISK_FULL', messageOf(error), { cause: error })
    : KerfError.from(error, 'INTERNAL', messageOf(error));
  return {
    call: async () => {
      throw fault;
    },
    subscribe: () => () => {},
  };
}

// Pages that come while models load are answered when they are there.
let starting = startUntilRunning();

parentPort.on('message', ({ data, ports }) => {
  const [port] = ports;
  if (port === undefined) return;
  const { line: number, media: asked } = data as { readonly line?: number; readonly media?: number };
  if (asked !== undefined) return media.take(asked, port);
  const transport = portTransport(portOf(port));
  starting.then(
    (lines) => {
      const line = lines[(number ?? 0) - 1];
      if (line === undefined) transport.close(1011, 'there is no such line');
      else if ('connect' in line) relayBridge(transport, line.connect, CALLER, say);
      else serveBridge(transport, line.service, CALLER, say);
    },
    (error: unknown) => serveBridge(transport, notStarted(error), CALLER, say),
  );
});
