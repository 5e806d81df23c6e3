// The utility process of the test's app: each port that it gets is passed on to the test process.
import process from 'node:process';
import { portTransport } from '@kerf/bridge';
import { browserTransport } from '@kerf/protocol';
import { WebSocket } from 'ws';
import { type ParentPort, portOf } from '../../../apps/inspector/src/desktop/electron-port.ts';
import { relay } from './relay.ts';

declare const KERF_TEST_PORT: number;

// Its Node has none.
Object.assign(globalThis, { WebSocket });
const { parentPort } = process as unknown as { parentPort: ParentPort };
parentPort.on('message', ({ ports: [port] }) => {
  if (port === undefined) return;
  const transport = portTransport(portOf(port));
  const socket = new WebSocket(`ws://127.0.0.1:${KERF_TEST_PORT}/station`);
  const wrapped = browserTransport(socket as unknown as globalThis.WebSocket);
  socket.once('open', () => relay(transport, wrapped));
});
