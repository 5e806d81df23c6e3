// A state folder -> a TLS certificate for development, made on first use and renewed before it expires.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { KerfError } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { generate } from 'selfsigned';

/** PEM texts for a TLS server, and the file that an edge has to trust. */
export interface ServerCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  readonly certPath: string;
  /** The one that is to serve by now: itself, unless its files were replaced or it is about to end. @throws {KerfError} for files that cannot be used. */
  renewed(): Promise<ServerCertificate>;
}

const ALWAYS = ['localhost', '127.0.0.1', '::1'];
const DAY_MS = 24 * 3600 * 1000;
const VALID_DAYS = 90;
const RENEW_DAYS = 14;
/** A clock that is earlier was never set, as one of a machine without a battery: it says nothing of a certificate's beginning. */
const CLOCK_SET_MS = Date.UTC(2026, 0, 1);
/** While a server runs: edges trust the file, and a new one has to be brought to each of them. */
const RUNNING_RENEW_DAYS = 1;

/**
 * The development certificate in `stateDir` (`dev-cert.pem`, `dev-key.pem`): the one that is there when it names every
 * host and lasts two more weeks, else a new one. It is its own authority: an edge trusts the file. The one before stays
 * beside it, and returns where a clock that was ahead has made the newer one.
 * @throws {KerfError} FILE_NOT_FOUND when the folder cannot be written.
 */
export async function developmentCertificate(
  stateDir: string,
  hosts: readonly string[],
  nowMs: number = Date.now(),
): Promise<ServerCertificate> {
  const paths = pairPaths(stateDir, '');
  const names = [...new Set([...ALWAYS, ...hosts])];
  const served = (pems: Pems): ServerCertificate => ({
    ...pems,
    certPath: paths.certPath,
    async renewed() {
      const wallMs = Date.now();
      const there = await keptPair(stateDir, names, wallMs, RUNNING_RENEW_DAYS);
      if (there !== null) return served(there);
      // Files that were lost, and a clock that was set back, are no reason to be somebody else.
      return lasts(pems, wallMs, RUNNING_RENEW_DAYS) ? served(pems) : developmentCertificate(stateDir, hosts);
    },
  });
  const kept = await keptPair(stateDir, names, nowMs, RENEW_DAYS);
  if (kept !== null) return served(kept);
  const made = await makeCertificate(names, nowMs);
  try {
    await makeFolders(stateDir, 0o700);
    const before = await readPair(paths);
    if (before !== null && isPair(before)) await writePair(pairPaths(stateDir, '-before'), before);
    await writePair(paths, made);
  } catch (cause) {
    throw new KerfError('FILE_NOT_FOUND', `the certificate cannot be written to ${stateDir}; choose another folder`, {
      cause,
    });
  }
  return served(made);
}

/** The pair that can be used, the one before put back in its place where that is it; null where there is none. */
async function keptPair(stateDir: string, names: readonly string[], nowMs: number, days: number): Promise<Pems | null> {
  const paths = pairPaths(stateDir, '');
  const pair = await readPair(paths);
  if (pair === null || isUsable(pair, names, nowMs, days)) return pair;
  if (!isPair(pair) || hasBegun(pair, nowMs)) return null;
  const before = await readPair(pairPaths(stateDir, '-before'));
  if (before === null || !isUsable(before, names, nowMs, days)) return null;
  await writePair(paths, before);
  return before;
}

interface PairPaths {
  readonly certPath: string;
  readonly keyPath: string;
}

function pairPaths(stateDir: string, suffix: '' | '-before'): PairPaths {
  return { certPath: join(stateDir, `dev-cert${suffix}.pem`), keyPath: join(stateDir, `dev-key${suffix}.pem`) };
}

async function writePair({ certPath, keyPath }: PairPaths, { certPem, keyPem }: Pems): Promise<void> {
  await writePrivate(keyPath, keyPem);
  await writePrivate(certPath, certPem);
  await chmod(certPath, 0o644);
}

/** @throws {KerfError} FILE_NOT_FOUND, INVALID_ARGUMENT when they are not a pair. */
export async function certificateFromFiles(certPath: string, keyPath: string): Promise<ServerCertificate> {
  const pair = await readPair({ certPath, keyPath });
  if (pair === null) throw new KerfError('FILE_NOT_FOUND', `cannot read ${certPath} or ${keyPath}`);
  if (!isPair(pair)) throw new KerfError('INVALID_ARGUMENT', `${keyPath} is not the private key of ${certPath}`);
  return { ...pair, certPath, renewed: () => certificateFromFiles(certPath, keyPath) };
}

interface Pems {
  readonly certPem: string;
  readonly keyPem: string;
}

async function readPair({ certPath, keyPath }: PairPaths): Promise<Pems | null> {
  try {
    const [certPem, keyPem] = await Promise.all([readFile(certPath, 'utf8'), readFile(keyPath, 'utf8')]);
    return { certPem, keyPem };
  } catch {
    return null;
  }
}

function isPair({ certPem, keyPem }: Pems): boolean {
  try {
    return new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

function isUsable(pair: Pems, names: readonly string[], nowMs: number, days: number): boolean {
  if (!isPair(pair)) return false;
  const certificate = new X509Certificate(pair.certPem);
  const covers = (name: string): boolean =>
    (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
  return lasts(pair, nowMs, days) && hasBegun(pair, nowMs) && names.every(covers);
}

function hasBegun({ certPem }: Pems, nowMs: number): boolean {
  return Date.parse(new X509Certificate(certPem).validFrom) <= nowMs || nowMs < CLOCK_SET_MS;
}

function lasts({ certPem }: Pems, nowMs: number, days: number): boolean {
  return Date.parse(new X509Certificate(certPem).validTo) - nowMs > days * DAY_MS;
}

async function makeCertificate(names: readonly string[], nowMs: number): Promise<Pems> {
  const altNames = names.map((name) =>
    isIP(name) === 0 ? { type: 2 as const, value: name } : { type: 7 as const, ip: name },
  );
  const made = await generate([{ name: 'commonName', value: 'kerf development' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // A device's clock may be behind ours.
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + VALID_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      // No keyUsage: one without keyCertSign keeps BoringSSL, which Electron has, from taking it as its own authority.
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  return { certPem: made.cert, keyPem: made.private };
}

/** Written beside and renamed, so that a reader never sees half a file; mode 0600 from its first byte. */
async function writePrivate(path: string, text: string): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  await writeFile(partial, text, { mode: 0o600 });
  await rename(partial, path);
}
