// Probes: answered as asked for, one at a time, within limits, and only for who has shown a token.
import { describe, expect, it } from 'vitest';
import type { TestClient } from './support/client.ts';
import { client, opened, serveModels, type TestCloud } from './support/cloud.ts';
import { rowsModel, temporaryFolder, writeModel } from './support/models.ts';

async function cloudWith(options: Parameters<typeof serveModels>[1] = {}): Promise<TestCloud> {
  const dir = temporaryFolder();
  writeModel(dir, 'rows', rowsModel());
  return serveModels(dir, options);
}

function probe(edge: TestClient, nonce: number, answerBytes: number, fillerBytes = 0): void {
  edge.send({ type: 'probe', nonce, answerBytes, filler: new Uint8Array(fillerBytes) });
}

async function answered(edge: TestClient, nonce: number): Promise<number> {
  const mine = () => edge.all('probed').find((answer) => answer.nonce === nonce);
  await edge.until(() => mine() !== undefined || edge.closeCode !== null);
  return mine()?.filler.byteLength ?? -1;
}

async function refusal(edge: TestClient): Promise<{ code: string | undefined; closeCode: number }> {
  const closeCode = await edge.closed();
  return { code: edge.all('fault').at(-1)?.code, closeCode };
}

describe('a probe', () => {
  it('is answered with as many bytes as it asks for, beside sessions and without', async () => {
    const cloud = await cloudWith();
    const bare = await client(cloud).hello();
    for (const [nonce, bytes] of [0, 1, 100_001, 4 * 1024 * 1024].entries()) {
      probe(bare, nonce, bytes, bytes);
      expect(await answered(bare, nonce)).toBe(bytes);
    }
    const busy = await opened(cloud, 'rows');
    probe(busy, 7, 5);
    expect(await answered(busy, 7)).toBe(5);
  });

  it('is refused before the token is accepted', async () => {
    const edge = await client(await cloudWith()).connected();
    probe(edge, 1, 1000);
    expect(await refusal(edge)).toEqual({ code: 'MESSAGE_UNEXPECTED', closeCode: 1002 });
    expect(edge.all('probed')).toEqual([]);
  });

  it('is refused while another is under way', async () => {
    const edge = await client(await cloudWith()).hello();
    // Nothing is read, so the first answer cannot have left.
    edge.socket.pause();
    probe(edge, 1, 4 * 1024 * 1024);
    probe(edge, 2, 4 * 1024 * 1024);
    probe(edge, 3, 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    edge.socket.resume();
    expect(await refusal(edge)).toEqual({ code: 'MESSAGE_UNEXPECTED', closeCode: 1002 });
    expect(edge.all('probed').map(({ nonce }) => nonce)).toEqual([1]);
  });

  it('counts towards a limit of its link, and the next link starts anew', async () => {
    const cloud = await cloudWith({ limits: { maxProbeBytesPerLink: 1000 } });
    const edge = await client(cloud).hello();
    probe(edge, 1, 500, 500);
    expect(await answered(edge, 1)).toBe(500);
    probe(edge, 2, 1);
    expect(await refusal(edge)).toEqual({ code: 'OVERLOADED', closeCode: 1013 });
    const next = await client(cloud).hello();
    probe(next, 1, 1000);
    expect(await answered(next, 1)).toBe(1000);
  });

  it('takes its answer from what may be in flight, and gives it back, also when its reader vanishes', async () => {
    const cloud = await cloudWith({
      // More than any kernel takes from a sender whose peer does not read.
      wire: { maxProbeBytes: 32_000_000 },
      limits: { maxInFlightBytes: 35_000_000 },
      metrics: { port: 0 },
    });
    const lazy = await client(cloud).hello();
    lazy.socket.pause();
    probe(lazy, 1, 32_000_000);
    await inFlight(cloud, (bytes) => bytes === 32_000_000);
    const edge = await client(cloud).hello();
    probe(edge, 1, 4_000_000);
    expect(await refusal(edge)).toEqual({ code: 'OVERLOADED', closeCode: 1013 });
    lazy.destroy();
    await inFlight(cloud, (bytes) => bytes === 0);
    const next = await client(cloud).hello();
    probe(next, 1, 4_000_000);
    expect(await answered(next, 1)).toBe(4_000_000);
    expect(await metric(cloud, 'kerf_probe_bytes_total{direction="sent"}')).toBe(36_000_000);
  });
});

async function metric(cloud: TestCloud, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${cloud.metricsPort}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

async function inFlight(cloud: TestCloud, done: (bytes: number) => boolean): Promise<void> {
  const endMs = Date.now() + 8000;
  while (!done(await metric(cloud, 'kerf_in_flight_bytes'))) {
    if (Date.now() > endMs) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
