// The cloud that a station file names -> what the link to it does, measured beside the parts that cross.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import process from 'node:process';
import type { LinkView } from '@kerf/bridge';
import { measureLink } from '@kerf/edge-runtime';
import { type StationFile, wsConnect } from '@kerf/edge-runtime/node';
import { VERSION } from '../command.ts';
import { refused } from '../refusal.ts';

/** Somebody stands and waits, and the line uses the link meanwhile. */
const BUDGET_MS = 8_000;
const MAX_BYTES = 20_000_000;

/** @throws {KerfError} NOT_FOUND without a cloud; what {@link measureLink} throws. */
export async function testLink({ config: { cloud }, folder }: StationFile, signal: AbortSignal): Promise<LinkView> {
  if (cloud === null) throw refused({ kind: 'no-cloud' });
  const { url, tokenFile, ca } = cloud;
  const read = (path: string): Promise<string> =>
    readFile(resolve(folder, path), 'utf8').catch((cause: unknown) => {
      throw refused({ kind: 'file-unreadable', file: path }, cause);
    });
  const authority = ca === null ? {} : { ca: await read(ca) };
  const { uplinkBitsPerSecond, downlinkBitsPerSecond, roundTripMs, jitterMs } = await measureLink({
    connect: wsConnect({ url, ...authority }),
    token: tokenFile === null ? (process.env['KERF_TOKEN'] ?? null) : (await read(tokenFile)).trim(),
    budgetMs: BUDGET_MS,
    maxBytes: MAX_BYTES,
    signal,
    agent: `kerf-inspect/${VERSION}`,
  });
  return { uplinkBitsPerSecond, downlinkBitsPerSecond, roundTripMs, jitterMs };
}
