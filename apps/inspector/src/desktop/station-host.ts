// A station file (or the demo line) and ports from the main process -> a station that answers each page's bridge.
import process from 'node:process';
import { portTransport, serveBridge } from '@kerf/bridge';
import { type InspectedStation, openInspected, prepareDemoLine } from '@kerf/cli/inspect';
import { type ParentPort, portOf } from './electron-port.ts';

const parentPort = (process as unknown as { parentPort: ParentPort }).parentPort;

/** To the terminal that started the app, where there is one. */
function say(what: unknown): void {
  process.stderr.write(`${what instanceof Error ? (what.stack ?? what.message) : String(what)}\n`);
}

async function startService(): Promise<InspectedStation['service']> {
  const [kind, path = ''] = process.argv.slice(-2);
  const demo = kind === '--demo' ? await prepareDemoLine(path) : null;
  const { opened, service } = await openInspected(demo?.stationPath ?? path, {
    onOutbox: (event) => {
      if (event.kind === 'sink-blocked') say(`sink ${event.sink}: ${event.message}`);
    },
    onFault: say,
  });
  await opened.station.start();
  demo?.feed();
  return service;
}

// Pages that come while models load are answered when they are there.
const starting = startService();
starting.catch((error: unknown) => {
  say(error);
  process.exit(1);
});

parentPort.on('message', ({ ports }) => {
  const [port] = ports;
  if (port === undefined) return;
  const transport = portTransport(portOf(port));
  starting.then(
    // The one at the machine is its engineer.
    (service) => serveBridge(transport, service, { name: 'desktop', role: 'engineer' }, say),
    () => transport.close(1011, 'the station does not start'),
  );
});
