// Station files and addresses (or the demo line) and ports from the main process -> stations that answer each page's bridge.
import process from 'node:process';
import { portTransport, relayBridge, serveBridge } from '@kerf/bridge';
import { type OpenedLine, openLines, prepareDemoLine } from '@kerf/cli/inspect';
import { type ParentPort, portOf } from './electron-port.ts';

const parentPort = (process as unknown as { parentPort: ParentPort }).parentPort;
/** The one at the machine is its engineer. */
const CALLER = { name: 'desktop', role: 'engineer' } as const;

/** To the terminal that started the app, where there is one. */
function say(what: unknown): void {
  process.stderr.write(`${what instanceof Error ? (what.stack ?? what.message) : String(what)}\n`);
}

async function startLines(): Promise<readonly OpenedLine[]> {
  const isDemo = process.argv.includes('--demo');
  const given = process.argv.slice(process.argv.indexOf(isDemo ? '--demo' : '--lines') + 1);
  const demo = isDemo ? await prepareDemoLine(given[0] ?? '') : null;
  const authority = process.argv.indexOf('--ca');
  const ca = isDemo || authority < 0 ? null : (process.argv[authority + 1] ?? null);
  const lines = await openLines(demo === null ? given : [demo.stationPath], ca, (event, message) =>
    say(`${event}: ${message}`),
  );
  for (const line of lines) if ('opened' in line) await line.opened.station.start();
  demo?.feed();
  return lines;
}

// Pages that come while models load are answered when they are there.
const starting = startLines();
starting.catch((error: unknown) => {
  say(error);
  process.exit(1);
});

parentPort.on('message', ({ data, ports }) => {
  const [port] = ports;
  if (port === undefined) return;
  const transport = portTransport(portOf(port));
  starting.then(
    (lines) => {
      const line = lines[(data as { readonly line: number }).line - 1];
      if (line === undefined) transport.close(1011, 'there is no such line');
      else if ('connect' in line) relayBridge(transport, line.connect, CALLER, say);
      else serveBridge(transport, line.service, CALLER, say);
    },
    () => transport.close(1011, 'the station does not start'),
  );
});
