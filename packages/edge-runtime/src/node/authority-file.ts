// The PEM file of an authority -> its text as it is now: a certificate that is replaced needs no restart of the edge.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { KerfError, messageOf } from '@kerf/protocol';

/**
 * A file that cannot be read later leaves what was read last in force: it may be on its way, or the disk away.
 * @throws {KerfError} as {@link authorityText}, of now.
 */
export async function authorityFile(path: string): Promise<() => Promise<string>> {
  return followPem(path, await authorityText(path));
}

/** What the file of an authority holds. @throws {KerfError} FILE_NOT_FOUND; INVALID_ARGUMENT for a file without a certificate. */
export async function authorityText(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new KerfError('FILE_NOT_FOUND', `the certificate ${path} cannot be read`, { cause });
  });
  // Node passes over what is no certificate, and then trusts nobody.
  if (!/^-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/m.test(text)) {
    throw new KerfError('INVALID_ARGUMENT', `${path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`);
  }
  return text;
}

/** The same, for who cannot wait. @throws {KerfError} FILE_NOT_FOUND when it cannot be read now. */
export function pemFile(path: string): () => Promise<string> {
  try {
    return followPem(path, readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** The same of a file whose text is known. */
export function followPem(path: string, known: string): () => Promise<string> {
  let last = known;
  return async () => {
    const now = await readFile(path, 'utf8').catch(() => last);
    if (now.trim() !== '') last = now;
    return last;
  };
}
