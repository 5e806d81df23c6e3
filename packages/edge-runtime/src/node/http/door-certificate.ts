// PEM files of a door -> its certificate; files that are replaced count from the next connection on.
import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import { type Clock, KerfError, lookAgain, messageOf } from '@kerf/protocol';

export interface PemPaths {
  readonly certificate: string;
  readonly key: string;
}

export interface Pems {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const LOOK_MS = 2000;

/** @throws {KerfError} FILE_NOT_FOUND. */
export function readPems({ certificate, key }: PemPaths): Pems {
  return { cert: read(certificate), key: read(key) };
}

/** What cannot be used is told, and the one before serves on. @returns how to end it. */
export function followPems(
  server: { setSecureContext(options: SecureContextOptions): void },
  first: Pems,
  paths: PemPaths,
  { clock, tell }: { readonly clock: Clock; readonly tell: (message: string) => void },
): () => void {
  let current = first;
  const look = (): void => {
    const next = readPems(paths);
    if (next.cert.equals(current.cert) && next.key.equals(current.key)) return;
    server.setSecureContext({ ...next });
    current = next;
    tell(`the certificate ${paths.certificate} was replaced, and is used from the next connection on`);
  };
  return lookAgain(clock, LOOK_MS, look, (reason) =>
    tell(`the new certificate ${paths.certificate} cannot be used, the one before goes on: ${reason}`),
  );
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}
