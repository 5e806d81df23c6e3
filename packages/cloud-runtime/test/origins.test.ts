// A cloud without tokens, and the pages of browsers: programs may use it, pages only from where they were named.
import { SUBPROTOCOL } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { AuthOptions } from '../src/index.ts';
import { pageOrigins } from '../src/server/page-origins.ts';
import { serveModels } from './support/cloud.ts';
import { temporaryFolder } from './support/models.ts';

const NAMED = 'https://station.plant.example';

it('knows pages of this machine, named ones and programs from all others', () => {
  const mayCall = pageOrigins([NAMED]);
  for (const origin of [undefined, NAMED, 'http://localhost:5173', 'http://127.0.0.1', 'https://[::1]:8443'])
    expect(mayCall(origin), String(origin)).toBe(true);
  for (const origin of [
    'null',
    '',
    'file://',
    'https://evil.example',
    'http://station.plant.example',
    `${NAMED}:444`,
    'https://localhost.evil.example',
    'https://127.0.0.1.evil.example',
  ])
    expect(mayCall(origin), origin).toBe(false);
});

describe('a cloud without tokens', () => {
  const open = (auth: AuthOptions) => serveModels(temporaryFolder(), { tls: { kind: 'insecure' }, auth });

  async function connect(url: string, headers: Record<string, string>): Promise<string> {
    const socket = new WebSocket(url, SUBPROTOCOL, { headers });
    const end = await new Promise<string>((resolve) => {
      socket.once('open', () => resolve('open'));
      socket.on('error', ({ message }) => resolve(message));
    });
    socket.terminate();
    return end;
  }

  it('takes no links from pages of other origins, whatever host they say they called', async () => {
    const cloud = await open({ kind: 'none', origins: [NAMED] });
    const evil = 'http://evil.example:8443';
    expect(await connect(cloud.url, {})).toBe('open');
    expect(await connect(cloud.url, { origin: NAMED })).toBe('open');
    expect(await connect(cloud.url, { origin: evil })).toMatch(/403/);
    expect(await connect(cloud.url, { origin: evil, host: 'evil.example:8443' })).toMatch(/403/);
    expect(cloud.events).toContainEqual(expect.objectContaining({ event: 'origin-refused', origin: evil }));
  });

  it('answers their requests with 403 as well, but for health', async () => {
    const cloud = await open({ kind: 'none' });
    const base = cloud.url.replace('ws', 'http');
    const ask = async (path: string, origin?: string): Promise<number> => {
      const headers: Record<string, string> = origin === undefined ? {} : { origin };
      return (await fetch(new URL(path, base), { method: 'POST', headers, body: '{}' })).status;
    };
    expect(await ask('/v2/repository/index')).toBe(200);
    expect(await ask('/v2/repository/index', 'https://evil.example')).toBe(403);
    expect(await ask('/v2/repository/models/m/unload', 'null')).toBe(403);
    expect(
      (await fetch(new URL('/v2/health/live', base), { headers: { origin: 'https://evil.example' } })).status,
    ).toBe(200);
  });

  it('says which origin it cannot take', async () => {
    for (const origin of ['station', 'https://station.example/', 'https://station.example/page'])
      await expect(open({ kind: 'none', origins: [origin] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
