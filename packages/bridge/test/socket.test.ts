import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { wsTransport } from '@kerf/edge-runtime/node';
import { WebSocket, WebSocketServer } from 'ws';
import { describeBridge } from './bridge-cases.ts';

describeBridge('a WebSocket', async (accept) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket) => accept(wsTransport(socket)));
  const { port } = server.address() as AddressInfo;
  return {
    connect: async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`);
      const transport = wsTransport(socket);
      await once(socket, 'open');
      return transport;
    },
    breakLinks: () => {
      for (const socket of server.clients) socket.terminate();
    },
    dispose: async () => {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
});
