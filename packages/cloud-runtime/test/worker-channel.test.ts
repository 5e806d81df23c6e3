// The hop between gateway and worker: framing over a stream cut anywhere, the ring of shared memory, buffers used again.
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { AnswerBuffers } from '../src/worker/answer-buffers.ts';
import { openChannel } from '../src/worker/channel.ts';
import { readSpool, SpoolWriter } from '../src/worker/spool.ts';

const folder = mkdtempSync(join(tmpdir(), 'kerf-spool-'));
const fd = openSync(join(folder, 'spool'), 'w+');
afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** Both ends of a stream that delivers in pieces of `chunkBytes`. */
function wires(chunkBytes: number): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const end = (other: number): Duplex =>
    new Duplex({
      read() {},
      write(data: Buffer, _encoding, done) {
        for (let at = 0; at < data.length; at += chunkBytes)
          ends[other]?.push(Buffer.from(data.subarray(at, at + chunkBytes)));
        done();
      },
    });
  ends.push(end(1), end(0));
  return ends as [Duplex, Duplex];
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('the channel', () => {
  it.each([1, 3, 24, 25, 1000, 1_000_000])(
    'carries headers and bodies in order, in pieces of %d bytes',
    async (chunkBytes) => {
      const [left, right] = wires(chunkBytes);
      const got: [number, string][] = [];
      openChannel<number, number>({
        stream: right,
        spoolOut: null,
        spoolInFd: fd,
        bodyBuffer: (bytes) => new Uint8Array(bytes),
        handler: {
          onMessage: (header, body) => got.push([header, Buffer.from(body).toString('latin1')]),
          onClose: () => {},
        },
      });
      const out = openChannel<number, number>({
        stream: left,
        spoolOut: new SpoolWriter(fd, 100_000),
        spoolInFd: null,
        bodyBuffer: () => new Uint8Array(0),
        handler: { onMessage: () => {}, onClose: () => {} },
      });
      const bodies = [
        '',
        'a',
        'bc'.repeat(40),
        'd'.repeat(20_000),
        '',
        'e'.repeat(60_000),
        'f'.repeat(30_000),
        'g'.repeat(10),
      ];
      for (const [index, body] of bodies.entries()) {
        out.send(index, [Buffer.from(body.slice(0, 3)), Buffer.alloc(0), Buffer.from(body.slice(3))]);
      }
      await settle();
      expect(got).toEqual(bodies.map((body, index) => [index, body]));
    },
  );

  it('ends once when the peer talks nonsense', async () => {
    const [left, right] = wires(7);
    let ends = 0;
    openChannel({
      stream: right,
      spoolOut: null,
      spoolInFd: null,
      bodyBuffer: (bytes) => new Uint8Array(bytes),
      handler: { onMessage: () => {}, onClose: () => ends++ },
    });
    left.write(Buffer.alloc(500, 0xff));
    left.end();
    await settle();
    expect(ends).toBe(1);
  });
});

describe('the spool', () => {
  it('never overwrites what was not read, whatever the order of writing and freeing', () => {
    const spool = new SpoolWriter(fd, 1000);
    const written: { offset: number; bytes: Uint8Array }[] = [];
    let freed = 0;
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    let refused = 0;
    for (let round = 0; round < 5000; round++) {
      if (random(5) < 3) {
        const bytes = new Uint8Array(1 + random(400)).fill(round);
        const offset = spool.write([bytes.subarray(0, 1), bytes.subarray(1)], bytes.byteLength);
        if (offset === null) refused++;
        else written.push({ offset, bytes });
      } else {
        const oldest = written.shift();
        if (oldest === undefined) continue;
        const target = new Uint8Array(oldest.bytes.byteLength);
        readSpool(fd, target, oldest.offset);
        expect(target).toEqual(oldest.bytes);
        spool.freeUpTo(++freed);
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(refused).toBeLessThan(2500);
  });

  it('refuses what does not fit, and reads no further than was written', () => {
    const spool = new SpoolWriter(fd, 100);
    expect(spool.write([new Uint8Array(101)], 101)).toBe(null);
    expect(spool.write([new Uint8Array(100)], 100)).toBe(0);
    expect(() => readSpool(fd, new Uint8Array(10), 10_000_000)).toThrow(RangeError);
  });
});

describe('answer buffers', () => {
  it('are used again only when nobody holds them', () => {
    const buffers = new AnswerBuffers();
    const first = buffers.take(100_000);
    const memory = first.body.buffer;
    first.hold();
    first.release();
    expect(buffers.take(100_000).body.buffer).not.toBe(memory);
    first.release();
    expect(buffers.take(90_000).body.buffer).toBe(memory);
  });

  it('put a head right before the body, or say that it does not fit', () => {
    const buffer = new AnswerBuffers().take(4);
    buffer.body.set([5, 6, 7, 8]);
    expect([...buffer.withHead(Uint8Array.of(1, 2, 3), 7)!]).toEqual([1, 2, 3, 5, 6, 7, 8]);
    expect(buffer.withHead(new Uint8Array(5000), 5004)).toBe(null);
  });
});
