import { describe, expect, it } from 'vitest';
import { describeTransport, Listener } from '../../../test/conformance/transport.ts';
import { memoryLink } from '../src/memory-transport.ts';

describeTransport('memory', async () => {
  const link = memoryLink();
  return {
    left: link.edge,
    right: link.cloud,
    sever: () => link.sever(),
    dispose: async () => link.edge.close(1000, ''),
  };
});

describe('memory link', () => {
  it('delivers nothing and tells nobody once it is silent', async () => {
    const link = memoryLink();
    const edge = new Listener(link.edge);
    const cloud = new Listener(link.cloud);
    link.silence();
    link.edge.send(Uint8Array.of(1));
    link.edge.close(4000, 'gone');
    await edge.until(() => edge.closes.length === 1);
    expect([...cloud.messages, ...cloud.closes]).toEqual([]);
  });

  it('gives the receiver bytes of its own', async () => {
    const link = memoryLink();
    const cloud = new Listener(link.cloud);
    const sent = Uint8Array.of(1, 2);
    link.edge.send(sent);
    await cloud.until(() => cloud.messages.length === 1);
    cloud.messages[0]?.fill(9);
    expect([...sent]).toEqual([1, 2]);
  });
});
