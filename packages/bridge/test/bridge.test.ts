import { type MemoryLink, memoryLink } from '@kerf/protocol';
import { describeBridge } from './bridge-cases.ts';

describeBridge('memory', (accept) => {
  const links: MemoryLink[] = [];
  return Promise.resolve({
    connect: () => {
      const link = memoryLink();
      links.push(link);
      accept(link.cloud);
      return Promise.resolve(link.edge);
    },
    breakLinks: () => {
      for (const link of links.splice(0)) link.sever();
    },
    dispose: async () => {},
  });
});
