// A job and what to do with a profile -> a served page, waited for until it has delivered, failed or somebody gave up.
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { developmentCertificate } from '@kerf/cloud-runtime';
import { ERROR_CODES, type ErrorCode, isLoopback, KerfError } from '@kerf/protocol';
import { makeSecret, pageUrl, reachableHosts } from '../addresses.ts';
import { type Route, startPageServer } from '../page-server.ts';
import type { Accepted, ProfileJob } from '../profile-page/job.ts';

export interface PageSession<T> {
  readonly host: string;
  readonly port: number;
  readonly job: ProfileJob;
  /** The page's files, ONNX Runtime's and the model's. */
  readonly files: ReadonlyMap<string, Route>;
  /** Called once the page can be opened. @param fingerprint of the certificate; null without TLS */
  announce(urls: readonly string[], fingerprint: string | null): void;
  onProgress(text: string): void;
  /**
   * Checks and keeps what the page delivered.
   * @returns the name of the file for the page, and the session's result. What it throws is told to the page, which
   * may deliver again when the code is INVALID_ARGUMENT; anything else ends the session.
   */
  accept(delivery: unknown): Promise<Accepted & { readonly result: T }>;
}

/** A profile of the largest model that is read has some 20 MB. */
const MAX_PROFILE_BYTES = 64 * 1024 * 1024;
const MAX_NOTE_BYTES = 64 * 1024;
/** Characters of a text that the page sends for people. */
const MAX_TEXT = 1000;

/** @throws {KerfError} what the page failed with, CANCELLED after Ctrl-C or SIGTERM, INVALID_ARGUMENT for host or port. */
export async function servePage<T>(session: PageSession<T>): Promise<T> {
  const { host, port } = session;
  const hosts = reachableHosts(host);
  const tls = isLoopback(host) ? null : await certificateFor(hosts);
  const secret = makeSecret();
  const ending = new Ending<T>();
  const giveUp = (): void =>
    ending.fail(new KerfError('CANCELLED', 'stopped before a page delivered its profile; nothing was written'));
  const server = await startPageServer({ host, port, tls, secrets: [secret], routes: routesOf(session, ending) });
  process.on('SIGINT', giveUp).on('SIGTERM', giveUp);
  try {
    const urls = hosts.map((name) => pageUrl(name, server.port, secret, tls !== null));
    session.announce(urls, tls === null ? null : new X509Certificate(tls.certPem).fingerprint256);
    return await ending.promise;
  } finally {
    await server.close();
    process.off('SIGINT', giveUp).off('SIGTERM', giveUp);
  }
}

/** The first of what ends a session counts. */
class Ending<T> {
  readonly promise: Promise<T>;
  finish!: (result: T) => void;
  fail!: (error: KerfError) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
    // Handled by who awaits it; it may fail before.
    this.promise.catch(() => {});
  }
}

function routesOf<T>(session: PageSession<T>, ending: Ending<T>): Map<string, Route> {
  let turn: Promise<unknown> = Promise.resolve();
  const accept = async (delivery: unknown): Promise<Accepted> => {
    try {
      const { file, result } = await session.accept(delivery);
      ending.finish(result);
      return { file };
    } catch (error) {
      const known = KerfError.from(error, 'INTERNAL', 'the profile cannot be kept');
      if (known.code !== 'INVALID_ARGUMENT') ending.fail(known);
      throw known;
    }
  };
  const posted = (maxBytes: number, handle: (json: unknown) => Promise<unknown>): Route => ({
    kind: 'post',
    maxBytes,
    handle,
  });
  return new Map<string, Route>([
    ...session.files,
    ['job.json', { kind: 'json', value: session.job }],
    [
      'profile',
      // One after the other: two pages never write the same file at once.
      posted(MAX_PROFILE_BYTES, (json) => {
        const answer = turn.then(() => accept(json));
        turn = answer.catch(() => {});
        return answer;
      }),
    ],
    [
      'progress',
      posted(MAX_NOTE_BYTES, async (json) => {
        session.onProgress(textOf(json, 'text'));
        return {};
      }),
    ],
    [
      'failed',
      posted(MAX_NOTE_BYTES, async (json) => {
        ending.fail(new KerfError(codeOf(json), `in the browser: ${textOf(json, 'message')}`));
        return {};
      }),
    ],
  ]);
}

function codeOf(json: unknown): ErrorCode {
  const code = textOf(json, 'code');
  return Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'INTERNAL';
}

function textOf(json: unknown, field: string): string {
  const value: unknown = typeof json === 'object' && json !== null ? Reflect.get(json, field) : undefined;
  return typeof value === 'string' ? oneLine(value) : '';
}

/** Without control characters: it goes to a terminal. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{C}+/gu, ' ').slice(0, MAX_TEXT);
}

/**
 * A certificate for this run alone. Another device's browser gives WebGPU, exact clocks and threads to https only;
 * `kerf serve` keeps its own certificate, which edges trust and which is not touched.
 */
async function certificateFor(hosts: readonly string[]): Promise<{ certPem: string; keyPem: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-profile-'));
  try {
    return await developmentCertificate(folder, hosts);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
