// Reaching a host over networks that say nothing, on real sockets.
import { type ChildProcess, spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { reachHost } from '../src/node/reach-host.ts';
import { wsConnect } from '../src/node/ws-connect.ts';

vi.mock('node:dns/promises', { spy: true });

const signal = new AbortController().signal;
const cleanUp: (() => void)[] = [];
afterEach(() => {
  vi.mocked(lookup).mockRestore();
  for (const step of cleanUp.splice(0)) step();
});

async function listen(host = '127.0.0.1'): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => {}));
  server.listen(0, host);
  await once(server, 'listening');
  cleanUp.push(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

/** A process that listens and whose queue of connections is full while it is stopped: the system drops what asks further. */
async function blackHole(): Promise<{ child: ChildProcess; port: number }> {
  const script = `
    const server = require('node:net').createServer((socket) => socket.on('error', () => {}));
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.stdout.write(String(server.address().port)));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanUp.push(() => child.kill('SIGKILL'));
  const [port] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  child.kill('SIGSTOP');
  for (let count = 0; count < 4; count++) hold(connect(Number(port), '127.0.0.1'));
  await sleep(200);
  return { child, port: Number(port) };
}

function hold(socket: Socket): Socket {
  socket.on('error', () => {});
  cleanUp.push(() => socket.destroy());
  return socket;
}

describe('reachHost', () => {
  it('is there sooner than one attempt whose repetitions grow apart, when a silent network comes back', async () => {
    const { child, port } = await blackHole();
    const order: string[] = [];
    const plain = hold(connect(port, '127.0.0.1'));
    const plainIs = once(plain, 'connect').then(() => order.push('one attempt'));
    const freshIs = reachHost('127.0.0.1', port, signal).then((socket) => {
      hold(socket);
      order.push('fresh attempts');
    });
    // The system repeats after 1, 3 and 7 s, newer ones each second up to 5 s and then after 7 s.
    await sleep(5400);
    expect(order).toEqual([]);
    child.kill('SIGCONT');
    await Promise.all([plainIs, freshIs]);
    expect(order).toEqual(['fresh attempts', 'one attempt']);
  });

  it('ends as unheard when nobody answers, and leaves no attempt behind', async () => {
    const { port } = await blackHole();
    const startMs = performance.now();
    await expect(wsConnect({ url: `ws://127.0.0.1:${port}` })(signal)).rejects.toMatchObject({
      code: 'LINK_LOST',
      message: expect.stringMatching(/no answer within/),
      details: { unheard: true },
    });
    expect(performance.now() - startMs).toBeGreaterThan(7900);
  });

  it('takes the address of a host that answers', async () => {
    const { port } = await listen();
    const addresses = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
    vi.mocked(lookup).mockResolvedValue(addresses as never);
    const socket = hold(await reachHost('cloud.example', port, signal));
    expect(socket.remoteAddress).toBe('127.0.0.1');
  });

  it('tells the refusal when every address refuses, as unheard; an answer that is none is heard', async () => {
    const { server, port } = await listen();
    server.close();
    await once(server, 'close');
    const url = `ws://127.0.0.1:${port}`;
    await expect(wsConnect({ url })(signal)).rejects.toMatchObject({
      message: expect.stringMatching(/ECONNREFUSED/),
      details: { unheard: true },
    });
    const resets = createServer((socket) => socket.resetAndDestroy()).listen(port, '127.0.0.1');
    await once(resets, 'listening');
    cleanUp.push(() => resets.close());
    await expect(wsConnect({ url })(signal)).rejects.toMatchObject({ code: 'LINK_LOST', details: {} });
  });

  it('asks for a name once, however many wait for it, and stops when it is told to', async () => {
    vi.mocked(lookup).mockReturnValue(new Promise(() => {}) as never);
    const stop = new AbortController();
    const ends = [1, 2, 3].map(() => reachHost('silent.example', 1, stop.signal).catch((error: unknown) => error));
    const reason = new Error('enough');
    stop.abort(reason);
    expect(await Promise.all(ends)).toEqual([reason, reason, reason]);
    await expect(reachHost('silent.example', 1, AbortSignal.timeout(10))).rejects.toThrow();
    expect(lookup).toHaveBeenCalledTimes(1);
  });
});
