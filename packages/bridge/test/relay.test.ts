import { errorWithWhy, type MemoryLink, memoryLink, systemClock, type Transport } from '@kerf/protocol';
import { expect, test } from 'vitest';
import type { BridgeState, InspectorService } from '../src/contract.ts';
import { openBridge } from '../src/open-bridge.ts';
import { relayBridge } from '../src/relay-bridge.ts';
import { serveBridge } from '../src/serve-bridge.ts';
import type { Role } from '../src/views.ts';
import { describeBridge } from './bridge-cases.ts';

/** Pages of one process, each with its own link to the station behind it. */
function relay(accept: (transport: Transport) => void, role: Role) {
  const links: MemoryLink[] = [];
  const made = (): MemoryLink => {
    const link = memoryLink();
    links.push(link);
    return link;
  };
  return {
    links,
    connect: () => {
      const page = made();
      const far = (): Promise<Transport> => {
        const link = made();
        accept(link.cloud);
        return Promise.resolve(link.edge);
      };
      relayBridge(page.cloud, far, { name: role, role });
      return Promise.resolve(page.edge);
    },
  };
}

describeBridge('a relay to a station elsewhere', (accept) => {
  const { links, connect } = relay(accept, 'engineer');
  return Promise.resolve({
    connect,
    breakLinks: () => {
      for (const link of links.splice(0)) link.sever();
    },
    dispose: async () => {},
  });
});

const service: InspectorService = {
  call: async (name, _, { role }) =>
    (name === 'session.hello' ? { version: '1', station: 'far', role, wallMs: 1 } : null) as never,
  subscribe: () => () => {},
};

test.each([
  ['viewer', 'engineer', 'viewer'],
  ['engineer', 'operator', 'operator'],
  ['operator', 'operator', 'operator'],
] as const)('a %s of the page at an address for %s is a %s', async (here, there, is) => {
  const { connect } = relay((transport) => serveBridge(transport, service, { name: there, role: there }), here);
  const bridge = openBridge({ connect, clock: systemClock, random: Math.random });
  const state = await new Promise<BridgeState>((resolve) =>
    bridge.onState((told) => told.kind === 'connected' && resolve(told)),
  );
  expect(state).toMatchObject({ hello: { station: 'far', role: is } });
  const pause = bridge.call('station.pause', {});
  if (is === 'viewer') await expect(pause).rejects.toMatchObject({ code: 'FORBIDDEN' });
  else expect(await pause).toBeNull();
  await expect(bridge.call('cut.measure', {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
  bridge.close();
});

test('why the station behind a relay is away is told to the page, which goes on trying', async () => {
  const cause = { kind: 'certificate-unknown', host: '10.0.0.7:8444', error: 'DEPTH_ZERO_SELF_SIGNED_CERT' };
  const connect = (): Promise<Transport> => {
    const page = memoryLink();
    const far = () => Promise.reject(errorWithWhy('TLS_UNTRUSTED', 'the certificate of 10.0.0.7:8444 ...', cause));
    relayBridge(page.cloud, far, { name: 'viewer', role: 'viewer' });
    return Promise.resolve(page.edge);
  };
  const bridge = openBridge({ connect, clock: systemClock, random: () => 0 });
  const state = await new Promise<BridgeState>((resolve) =>
    bridge.onState((told) => told.kind === 'away' && resolve(told)),
  );
  expect(state).toMatchObject({ code: 'TLS_UNTRUSTED', message: 'the certificate of 10.0.0.7:8444 ...', cause });
  expect(state).not.toMatchObject({ retryInMs: null });
  bridge.close();
});

test('only the link of the part that is away breaks: a station that comes back is shown again', async () => {
  let isUp = false;
  const far = (): Promise<Transport> => {
    if (!isUp) return Promise.reject(new Error('no route to host'));
    const link = memoryLink();
    serveBridge(link.cloud, service, { name: 'viewer', role: 'viewer' });
    return Promise.resolve(link.edge);
  };
  const connect = (): Promise<Transport> => {
    const page = memoryLink();
    relayBridge(page.cloud, far, { name: 'viewer', role: 'viewer' });
    return Promise.resolve(page.edge);
  };
  const kinds: string[] = [];
  const bridge = openBridge({ connect, clock: systemClock, random: () => 0 });
  await new Promise<void>((resolve) =>
    bridge.onState((told) => {
      kinds.push(told.kind === 'away' ? `away ${told.retryInMs !== null}` : told.kind);
      if (told.kind === 'away') isUp = true;
      if (told.kind === 'connected') resolve();
    }),
  );
  expect(kinds).toEqual(['connecting', 'away true', 'connecting', 'connected']);
  bridge.close();
});
