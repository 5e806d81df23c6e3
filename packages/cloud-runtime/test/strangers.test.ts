import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { networkOf, Strangers } from '../src/server/strangers.ts';

describe('places of strangers', () => {
  const gone: string[] = [];
  const from = (remoteAddress: string, remotePort: number): Socket =>
    ({ remoteAddress, remotePort, destroy: () => gone.push(`${remoteAddress} ${remotePort}`) }) as unknown as Socket;

  it('are shared fairly between networks, and the oldest of the largest goes first', () => {
    const strangers = new Strangers(4);
    const stopped: number[] = [];
    const admit = (address: string, port: number): boolean =>
      strangers.admit(from(address, port), () => () => stopped.push(port));
    expect([1, 2, 3, 4, 5].map((port) => admit('10.0.0.1', port))).toEqual([true, true, true, true, false]);
    expect([6, 7, 8].map((port) => admit('10.0.0.2', port))).toEqual([true, true, false]);
    expect(admit('10.0.0.1', 9)).toBe(false);
    expect(gone).toEqual(['10.0.0.1 1', '10.0.0.1 2']);
    expect(stopped).toEqual([1, 2]);
    strangers.forget(from('10.0.0.1', 3));
    expect(admit('10.0.0.1', 10)).toBe(true);
  });

  it('belong to an address, of IPv6 to its first half', () => {
    expect(networkOf('::ffff:10.0.0.1')).toBe('::ffff:10.0.0.1');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2');
    expect(networkOf('2001:db8:1:2::9')).toBe('2001:db8:1:2');
    expect(networkOf('2001:db8::9')).toBe('2001:db8:0:0');
    expect(networkOf('::1')).toBe(':0:0:0');
    expect(networkOf('2001::3:4:5:6:7:8')).toBe('2001:0:3:4');
  });
});
