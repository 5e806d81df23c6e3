import { MessageChannel } from 'node:worker_threads';
import { memoryLink } from '@kerf/protocol';
import { shareBridge, sharedBridge } from '../src/shared-bridge.ts';
import { describeBridge } from './bridge-cases.ts';
import { portOf } from './worker-port.ts';

describeBridge('a worker that owns it', (accept) => {
  const links: ReturnType<typeof memoryLink>[] = [];
  const ends: (() => void)[] = [];
  return Promise.resolve({
    connect: () => {
      const link = memoryLink();
      links.push(link);
      accept(link.cloud);
      return Promise.resolve(link.edge);
    },
    share: (bridge) => {
      const { port1, port2 } = new MessageChannel();
      shareBridge(portOf(port2), bridge);
      ends.push(() => port1.close());
      return sharedBridge(portOf(port1));
    },
    breakLinks: () => {
      for (const link of links.splice(0)) link.sever();
    },
    dispose: async () => {
      for (const end of ends) end();
    },
  });
});
