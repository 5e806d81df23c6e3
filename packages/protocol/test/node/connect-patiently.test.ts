// Hosts with two addresses, by fetch over real sockets; only the name service is played.
import { type ChildProcess, spawn } from 'node:child_process';
import dns, { type LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { connect, getDefaultAutoSelectFamilyAttemptTimeout, setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectPatiently } from '@kerf/protocol/node';
import { expect, onTestFinished, test, vi } from 'vitest';

const SERVER = `
  const server = require('node:http').createServer((request, response) => response.end('here'));
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => process.send(server.address().port));
`;

/** A server that is stopped, with a full queue: the system drops what asks further, and it asks again after a second. */
async function fullServer(): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [port] = (await once(child, 'message')) as [number];
  child.kill('SIGSTOP');
  for (let isFull = false; !isFull; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    onTestFinished(() => void socket.destroy());
    isFull = await Promise.race([once(socket, 'connect').then(() => false), sleep(200).then(() => true)]);
  }
  return { child, port };
}

test('a host whose first address takes a second and whose second is dead is reached', async () => {
  const usual = getDefaultAutoSelectFamilyAttemptTimeout();
  onTestFinished(() => setDefaultAutoSelectFamilyAttemptTimeout(usual));
  const addresses: LookupAddress[] = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
  const answer = (_: string, __: object, callback: (error: null, addresses: LookupAddress[]) => void): void =>
    callback(null, addresses);
  vi.spyOn(dns, 'lookup').mockImplementation(answer as unknown as typeof dns.lookup);
  onTestFinished(() => void vi.restoreAllMocks());
  const { child, port } = await fullServer();
  const ask = (): Promise<string> => fetch(`http://two-addresses.test:${port}/`).then((response) => response.text());
  await expect(ask()).rejects.toThrow('fetch failed');

  connectPatiently();
  const asked = ask();
  // For longer than Node would have waited.
  await sleep(2 * usual);
  child.kill('SIGCONT');
  expect(await asked).toBe('here');
});
