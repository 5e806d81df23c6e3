// Pictures and setups for tests of sources and sinks.

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { SourceSetup } from '@kerf/edge-runtime';
import { encodePng } from '@kerf/edge-runtime/node';
import { type RgbImage, seededRandom, systemClock } from '@kerf/protocol';

export function setupOf(name: string, hasTrigger = false): SourceSetup {
  return { name, hasTrigger, clock: systemClock, random: seededRandom(7), wallClock: Date.now };
}

/** A small picture whose colours depend on the number. */
export function pictureOf(number: number, width = 8, height = 6): RgbImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 7 + number * 31) & 255);
  return { width, height, data };
}

export function pngOf(number: number): Promise<Uint8Array> {
  return encodePng(pictureOf(number));
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
