// Frames that another reader (ws) takes apart again.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { webSocketFrame } from '../src/web-socket-frame.ts';

/** Exported by ws, and missing from its types. */
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => NodeJS.WritableStream };

interface Reader extends NodeJS.WritableStream {
  readonly message: Promise<[Buffer, boolean]>;
}

function reader(isServer: boolean): Reader {
  const receiver = new Receiver({ isServer });
  return Object.assign(receiver, { message: once(receiver, 'message') as Promise<[Buffer, boolean]> });
}

describe('webSocketFrame', () => {
  const sizes = [0, 1, 125, 126, 65_522, 65_528, 65_535, 65_536, 65_537, 802_816];
  it.each(sizes.flatMap((bytes) => [false, true].map((masked) => ({ bytes, masked }))))(
    'holds $bytes bytes, masked $masked',
    async ({ bytes, masked }) => {
      const message = Uint8Array.from({ length: bytes }, (_value, at) => at * 7);
      const receiver = reader(masked);
      for (const piece of webSocketFrame(message, masked)) receiver.write(piece);
      const [received, isBinary] = await receiver.message;
      expect(isBinary).toBe(true);
      expect(Buffer.compare(received, message)).toBe(0);
    },
  );

  it('copies no more than the beginning of a large message', () => {
    const message = new Uint8Array(300_000);
    const [first, rest, ...others] = webSocketFrame(message, true);
    expect(first?.byteLength).toBe(16 * 1024);
    expect(rest?.buffer).toBe(message.buffer);
    expect(others).toEqual([]);
  });
});
