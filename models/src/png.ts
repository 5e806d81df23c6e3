// 8-bit pixels -> a PNG file, quickly: fixed filters and a light deflate, since a set of samples is thousands of files.
import { deflateSync } from 'node:zlib';
import { crc32 } from './crc32.ts';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** @param data row-major, `channels` bytes a pixel: 1 is grey, 3 is RGB. */
export function encodePng(width: number, height: number, channels: 1 | 3, data: Uint8Array): Buffer {
  const stride = width * channels;
  const rows = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    const to = y * (stride + 1);
    // The filter 'Up' (PNG section 9.2): the row above is what a row most resembles.
    rows[to] = y === 0 ? 0 : 2;
    for (let x = 0; x < stride; x++) {
      const above = y === 0 ? 0 : (data[(y - 1) * stride + x] as number);
      rows[to + 1 + x] = (data[y * stride + x] as number) - above;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = channels === 1 ? 0 : 2;
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: channels === 1 ? 6 : 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, body: Buffer): Buffer {
  const framed = Buffer.alloc(12 + body.byteLength);
  framed.writeUInt32BE(body.byteLength, 0);
  framed.write(type, 4, 'latin1');
  body.copy(framed, 8);
  framed.writeUInt32BE(crc32(framed.subarray(4, 8 + body.byteLength)), 8 + body.byteLength);
  return framed;
}
