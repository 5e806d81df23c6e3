// The shaped link on real sockets: what physics forbids never happens, what goes in comes out, faults do what they say.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@kerf/protocol';
import { seededRandom } from '@kerf/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { LinkDirection } from '../src/link-pipe.ts';
import { type LinkShaper, type LinkShaperOptions, startLinkShaper } from '../src/link-shaper.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server whose every connection goes to `handler`. */
async function serve(handler: (socket: Socket) => void): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    handler(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

async function link(server: Server, options: Partial<LinkShaperOptions> = {}): Promise<LinkShaper> {
  const shaper = await startLinkShaper({
    target: { host: '127.0.0.1', port: portOf(server) },
    uplinkBitsPerSecond: 1e9,
    downlinkBitsPerSecond: 1e9,
    roundTripMs: 0,
    ...options,
  });
  cleanups.push(() => shaper.close());
  return shaper;
}

async function dial(shaper: LinkShaper): Promise<Socket> {
  const socket = connect({ port: shaper.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  cleanups.push(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const echo = (socket: Socket) => void socket.pipe(socket);
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function readAll(socket: Socket): Promise<Buffer> {
  // Not `for await`: it destroys the socket at its end, and half of it may still be needed.
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

/** A clock that stands until a test moves it. */
class ManualClock implements Clock {
  #nowMs = 0;
  readonly #tasks = new Set<{ atMs: number; task: () => void }>();
  nowMs = () => this.#nowMs;
  after = (delayMs: number, task: () => void) => {
    const entry = { atMs: this.#nowMs + delayMs, task };
    this.#tasks.add(entry);
    return () => void this.#tasks.delete(entry);
  };
  advanceTo(nowMs: number): void {
    this.#nowMs = nowMs;
    for (const entry of this.#tasks) {
      if (entry.atMs <= nowMs && this.#tasks.delete(entry)) entry.task();
    }
  }
}

/** Waits for real bytes to pass real sockets. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited 20 s for ${what}`);
    await sleep(2);
  }
}

describe('rate', () => {
  it.each(['up', 'down'] as const)('%s: bytes arrive whole, in order, and no faster than the rate', async (way) => {
    const payload = randomBytes(1_500_000);
    const rate = 40e6;
    let received: Promise<Buffer> | undefined;
    const server = await serve((socket) => {
      if (way === 'up') received = readAll(socket).then((all) => (socket.end(), all));
      else socket.end(payload);
    });
    const shaper = await link(server, {
      uplinkBitsPerSecond: way === 'up' ? rate : 1e9,
      downlinkBitsPerSecond: way === 'down' ? rate : 1e9,
      roundTripMs: 20,
    });
    const startMs = performance.now();
    const client = await dial(shaper);
    if (way === 'up') client.end(payload);
    const back = await readAll(client);
    const elapsedMs = performance.now() - startMs;
    const got = way === 'up' ? await received : back;
    expect(sha(got as Buffer)).toBe(sha(payload));
    const shortestMs = (payload.byteLength * 8_000) / rate + 20 + 10;
    console.log(`${way}: ${elapsedMs.toFixed(1)} ms, no less than ${shortestMs.toFixed(1)} ms is possible`);
    // The sender's clock and the link's are the same; 1 ms covers rounding.
    expect(elapsedMs).toBeGreaterThanOrEqual(shortestMs - 1);
    expect(way === 'up' ? shaper.bytesUp : shaper.bytesDown).toBe(payload.byteLength);
    expect(way === 'up' ? shaper.bytesDown : shaper.bytesUp).toBe(0);
  });

  it('is shared by all connections of a direction', async () => {
    const server = await serve((socket) => void readAll(socket).then(() => socket.end()));
    const shaper = await link(server, { uplinkBitsPerSecond: 40e6 });
    const clients = [await dial(shaper), await dial(shaper), await dial(shaper)];
    const startMs = performance.now();
    await Promise.all(clients.map((client) => (client.end(Buffer.alloc(300_000)), readAll(client))));
    expect(performance.now() - startMs).toBeGreaterThanOrEqual((900_000 * 8_000) / 40e6 - 1);
    expect(shaper.bytesUp).toBe(900_000);
  });

  it('releases each segment at its instant and not before', async () => {
    const clock = new ManualClock();
    let received = 0;
    const server = await serve((socket) => socket.on('data', (chunk: Buffer) => (received += chunk.byteLength)));
    // 8 Mbit/s is 1000 bytes a millisecond.
    const shaper = await link(server, { uplinkBitsPerSecond: 8e6, roundTripMs: 40, clock });
    const client = await dial(shaper);
    await until(() => shaper.connections === 1, 'the connection');
    client.write(Buffer.alloc(3_000));
    await until(() => shaper.bytesHeld === 3_000, 'the bytes in the link');
    // Handshake 40 ms, then 1448 bytes at the rate, then 20 ms of flight.
    clock.advanceTo(61.4);
    expect(shaper.bytesUp).toBe(0);
    clock.advanceTo(62);
    expect(shaper.bytesUp).toBe(1_448);
    clock.advanceTo(62.8);
    expect(shaper.bytesUp).toBe(1_448);
    clock.advanceTo(63);
    expect(shaper.bytesUp).toBe(3_000);
    await until(() => received === 3_000, 'the bytes');
    expect(shaper.bytesHeld).toBe(0);
  });

  it('delivers all that is due as fast as it is read, a fast link too', async () => {
    const clock = new ManualClock();
    let received = 0;
    const server = await serve((socket) => socket.on('data', (chunk: Buffer) => (received += chunk.byteLength)));
    const shaper = await link(server, { uplinkBitsPerSecond: 1e9, roundTripMs: 20, clock });
    const client = await dial(shaper);
    await until(() => shaper.connections === 1, 'the connection');
    client.write(Buffer.alloc(1_000_000));
    await until(() => shaper.bytesHeld === 1_000_000, 'the bytes in the link');
    clock.advanceTo(100);
    await until(() => received === 1_000_000, 'the bytes, no timer between');
  });
});

describe('delay', () => {
  it('an echo takes at least the round trip', async () => {
    const server = await serve(echo);
    const shaper = await link(server, { uplinkBitsPerSecond: 100e6, downlinkBitsPerSecond: 100e6, roundTripMs: 30 });
    const dialledMs = performance.now();
    const client = await dial(shaper);
    const timesMs: number[] = [];
    for (let run = 0; run < 12; run++) {
      // The first one pays the handshake too, which begins with the connection.
      const startMs = run === 0 ? dialledMs : performance.now();
      client.write('ping');
      await once(client, 'data');
      timesMs.push(performance.now() - startMs);
    }
    console.log(`echo over 30 ms: ${timesMs.map((time) => time.toFixed(1)).join(' ')}`);
    expect(Math.min(...timesMs)).toBeGreaterThanOrEqual(29);
    expect(timesMs[0]).toBeGreaterThanOrEqual(59);
  });

  it('jitter keeps the order of bytes and never shortens the delay', async () => {
    const arrivals: { sentMs: number; gotMs: number }[] = [];
    let text = '';
    const server = await serve((socket) =>
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
        for (const sent of chunk.matchAll(/@([\d.]+);/g)) {
          arrivals.push({ sentMs: Number(sent[1]), gotMs: performance.now() });
        }
      }),
    );
    const shaper = await link(server, { roundTripMs: 10, jitterMs: 25, seed: 3 });
    const client = await dial(shaper);
    await sleep(15);
    let sentText = '';
    for (let run = 0; run < 40; run++) {
      const message = `@${performance.now()};`;
      sentText += message;
      client.write(message);
      await sleep(3);
    }
    await until(() => text.length === sentText.length, 'all messages');
    expect(text).toBe(sentText);
    for (const { sentMs, gotMs } of arrivals) expect(gotMs - sentMs).toBeGreaterThanOrEqual(4);
  });

  it('the same seed gives the same jitter, within its bounds', () => {
    const draw = (seed: number) => {
      const direction = new LinkDirection(1e6, 5, 10, seededRandom(seed));
      return Array.from({ length: 50 }, () => direction.flightMs());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    for (const flightMs of draw(7)) {
      expect(flightMs).toBeGreaterThanOrEqual(5);
      expect(flightMs).toBeLessThan(15);
    }
  });
});

describe('bounds', () => {
  it('a slow link holds the sender back and holds little itself', async () => {
    const server = await serve((socket) => void socket.resume());
    const shaper = await link(server, { uplinkBitsPerSecond: 1e6, roundTripMs: 40 });
    const client = await dial(shaper);
    const payload = 64 * 1024 * 1024;
    client.write(Buffer.alloc(payload));
    let mostHeld = 0;
    for (let run = 0; run < 40; run++) {
      await sleep(10);
      mostHeld = Math.max(mostHeld, shaper.bytesHeld);
    }
    // 64 KiB of queue, 2.5 kB in flight, and one read of the socket that came as it was filling.
    expect(mostHeld).toBeGreaterThan(0);
    expect(mostHeld).toBeLessThanOrEqual(65_536 + 2_500 + 65_536);
    // The rest waits in the kernel and at the sender, whose own buffer tells it so.
    expect(client.writableLength).toBeGreaterThan(payload / 4);
  });

  it('a reader that stops holds its sender back, and not other connections', async () => {
    let stuck = true;
    const server = await serve((socket) => {
      if (stuck) socket.pause();
      else echo(socket);
      stuck = false;
    });
    const shaper = await link(server, { roundTripMs: 2 });
    const slow = await dial(shaper);
    await until(() => !stuck, 'the first connection');
    slow.write(Buffer.alloc(64 * 1024 * 1024));
    await sleep(200);
    const held = shaper.bytesHeld;
    expect(held).toBeLessThanOrEqual(3 * 1024 * 1024);
    expect(slow.writableLength).toBeGreaterThan(0);
    const other = await dial(shaper);
    other.write('through');
    const [answer] = (await once(other, 'data')) as [Buffer];
    expect(answer.toString()).toBe('through');
  });

  it('resets connections above the limit', async () => {
    const server = await serve(echo);
    const shaper = await link(server, { maxConnections: 2 });
    await dial(shaper);
    await dial(shaper);
    await until(() => shaper.connections === 2, 'two connections');
    const third = connect(shaper.port, '127.0.0.1');
    const [error] = (await once(third, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    expect(shaper.connections).toBe(2);
  });

  it.each([
    [{ uplinkBitsPerSecond: 0 }, 'uplinkBitsPerSecond'],
    [{ downlinkBitsPerSecond: Number.NaN }, 'downlinkBitsPerSecond'],
    [{ roundTripMs: -1 }, 'roundTripMs'],
    [{ jitterMs: Number.POSITIVE_INFINITY }, 'jitterMs'],
  ])('refuses %o', async (options, name) => {
    const server = await serve(echo);
    await expect(link(server, options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(name) as string,
    });
  });

  it('says when its port is taken', async () => {
    const server = await serve(echo);
    await expect(link(server, { port: portOf(server) })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('streams', () => {
  it('an end is passed on after the bytes before it, and the other way stays open', async () => {
    const server = await serve((socket) => void readAll(socket).then((all) => socket.end(`got ${all.byteLength}`)));
    const shaper = await link(server, { uplinkBitsPerSecond: 20e6, roundTripMs: 5 });
    const client = await dial(shaper);
    client.end(Buffer.alloc(200_000));
    expect((await readAll(client)).toString()).toBe('got 200000');
    await until(() => shaper.connections === 0, 'the connection to be forgotten');
  });

  it('a reset is passed on both ways', async () => {
    const remote: Socket[] = [];
    const server = await serve((socket) => void remote.push(socket.resume()));
    const shaper = await link(server, { roundTripMs: 4 });
    const first = await dial(shaper);
    await until(() => remote.length === 1, 'the first connection');
    first.resetAndDestroy();
    await until(() => remote[0]!.destroyed, 'the reset at the server');
    const second = await dial(shaper);
    await until(() => remote.length === 2, 'the second connection');
    second.resume();
    remote[1]!.resetAndDestroy();
    await until(() => second.destroyed, 'the reset at the client');
    await until(() => shaper.connections === 0, 'both to be forgotten');
  });

  it('a target that is down resets the client', async () => {
    const server = await serve(echo);
    const shaper = await link(server, { roundTripMs: 4 });
    await new Promise((resolve) => server.close(resolve));
    const client = await dial(shaper);
    client.resume();
    await until(() => client.destroyed, 'the reset');
    await until(() => shaper.connections === 0, 'the connection to be forgotten');
  });
});

describe('faults', () => {
  it('pause is a black hole; resume loses nothing', async () => {
    const server = await serve(echo);
    const shaper = await link(server, { roundTripMs: 2 });
    const client = await dial(shaper);
    let text = '';
    client.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    client.write('before ');
    await until(() => text === 'before ', 'the first echo');
    shaper.pause();
    shaper.pause();
    client.write('during ');
    const late = await dial(shaper);
    late.write('late');
    const lateAnswer = once(late, 'data');
    await sleep(120);
    expect(text).toBe('before ');
    expect(client.destroyed).toBe(false);
    shaper.resume();
    shaper.resume();
    client.write('after');
    await until(() => text === 'before during after', 'what was held');
    expect(String((await lateAnswer)[0])).toBe('late');
  });

  it('what is under way when the link pauses takes as long as it still had to', async () => {
    const clock = new ManualClock();
    const server = await serve((socket) => void socket.resume());
    const shaper = await link(server, { uplinkBitsPerSecond: 8e6, roundTripMs: 40, clock });
    const client = await dial(shaper);
    await until(() => shaper.connections === 1, 'the connection');
    client.write(Buffer.alloc(1_000));
    await until(() => shaper.bytesHeld === 1_000, 'the bytes in the link');
    clock.advanceTo(51);
    shaper.pause();
    clock.advanceTo(500);
    expect(shaper.bytesUp).toBe(0);
    shaper.resume();
    clock.advanceTo(509);
    expect(shaper.bytesUp).toBe(0);
    clock.advanceTo(511);
    expect(shaper.bytesUp).toBe(1_000);
  });

  it('cut resets both ends, also while paused, and new connections work', async () => {
    const remote: Socket[] = [];
    const server = await serve((socket) => {
      remote.push(socket);
      echo(socket);
    });
    const shaper = await link(server);
    const client = await dial(shaper);
    await until(() => remote.length === 1, 'the connection');
    client.resume();
    shaper.pause();
    shaper.cut();
    await until(() => client.destroyed && remote[0]!.destroyed, 'both ends to see it');
    expect(shaper.connections).toBe(0);
    shaper.resume();
    const again = await dial(shaper);
    again.write('back');
    expect(String((await once(again, 'data'))[0])).toBe('back');
  });

  it('refuse resets new connections and leaves open ones alone', async () => {
    const server = await serve(echo);
    const shaper = await link(server);
    const client = await dial(shaper);
    await until(() => shaper.connections === 1, 'the connection');
    shaper.refuse(true);
    const refused = connect(shaper.port, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    client.write('still');
    expect(String((await once(client, 'data'))[0])).toBe('still');
    shaper.refuse(false);
    const welcome = await dial(shaper);
    welcome.write('in');
    expect(String((await once(welcome, 'data'))[0])).toBe('in');
  });

  it('close ends everything, twice without harm', async () => {
    const server = await serve(echo);
    const shaper = await link(server);
    const client = await dial(shaper);
    client.resume();
    await shaper.close();
    await shaper.close();
    await until(() => client.destroyed, 'the client to see it');
    await expect(dial(shaper)).rejects.toThrow();
  });
});
