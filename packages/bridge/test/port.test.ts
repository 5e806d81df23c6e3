import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { portTransport } from '../src/port-transport.ts';
import { describeBridge } from './bridge-cases.ts';
import { portOf } from './worker-port.ts';

describeBridge('message ports', (accept) => {
  const ports: MessagePort[] = [];
  const closeAll = (): void => {
    for (const port of ports.splice(0)) port.close();
  };
  return Promise.resolve({
    connect: () => {
      const { port1, port2 } = new MessageChannel();
      ports.push(port1, port2);
      accept(portTransport(portOf(port2)));
      return Promise.resolve(portTransport(portOf(port1)));
    },
    breakLinks: closeAll,
    dispose: () => Promise.resolve(closeAll()),
  });
});
