// Records -> signed POST requests, one for each.
import { isLoopback, KerfError, messageOf, parseUrl, untrustedError } from '@kerf/protocol';
import { recordKey } from './known-records.ts';
import type { SinkSetup } from './options.ts';
import type { Sink } from './sink.ts';
import type { WebhookConfig } from './webhook-config.ts';

/**
 * Posts each record. `Idempotency-Key` names record and revision, so that a receiver can drop what comes twice: an answer
 * that was lost on the way is one that the outbox asks for again. With a secret, `Kerf-Signature` is
 * `t=SECONDS,v1=HEX`, HEX being the HMAC-SHA-256 of `SECONDS.BODY`.
 * @param send trusts `config.ca`, where there is one: a browser has its own authorities
 * @throws {KerfError} INVALID_ARGUMENT for a URL or secret that cannot be used.
 */
export function webhookSink(config: WebhookConfig, setup: SinkSetup, send: typeof fetch = fetch): Sink {
  const url = checkedUrl(config);
  const secret = secretOf(config.secretFrom, setup);
  const token = secretOf(config.tokenFrom, setup);
  const closed = new AbortController();
  return {
    name: setup.name,
    usesPictures: false,
    deliver: async ({ record }, signal) => {
      const body = JSON.stringify(record);
      const headers = new Headers({ 'content-type': 'application/json', ...config.headers });
      headers.set('idempotency-key', recordKey(record));
      if (token !== null) headers.set('authorization', `Bearer ${token}`);
      if (secret !== null) headers.set('kerf-signature', await signature(secret, body, setup.wallClock()));
      await post({ url, send, timeoutMs: config.timeout }, { body, headers }, setup, [signal, closed.signal]);
    },
    close: () => {
      closed.abort(new KerfError('CLOSED', `sink '${setup.name}' was closed`));
      return Promise.resolve();
    },
  };
}

function checkedUrl({ url: given, allowPlainText }: WebhookConfig): URL {
  const url = parseUrl(given);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new KerfError('INVALID_ARGUMENT', `'${given}' is not an https:// or http:// URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new KerfError('INVALID_ARGUMENT', 'a webhook URL must not hold a password; use tokenFrom');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowPlainText) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `'${given}' would send results unencrypted; use https://, or set allowPlainText`,
    );
  }
  return url;
}

/** @throws {KerfError} INVALID_ARGUMENT when the environment variable is named and not set. */
export function secretOf(name: string | null, setup: SinkSetup): string | null {
  if (name === null) return null;
  const secret = setup.secret(name);
  if (secret === null || secret === '') {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `sink '${setup.name}' needs the environment variable ${name}, which is not set`,
    );
  }
  return secret;
}

async function signature(secret: string, body: string, wallMs: number): Promise<string> {
  const seconds = Math.floor(wallMs / 1000);
  const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey('raw', bytes(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes(`${seconds}.${body}`)));
  return `t=${seconds},v1=${Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Statuses that a later request may not get. */
const MAY_PASS = new Set([408, 425, 429]);

interface Receiver {
  readonly url: URL;
  readonly send: typeof fetch;
  readonly timeoutMs: number;
}

async function post(
  { url, send, timeoutMs }: Receiver,
  init: RequestInit,
  { clock }: SinkSetup,
  signals: readonly AbortSignal[],
): Promise<void> {
  const ended = new AbortController();
  // AbortSignal.any does it too, but not on Node 18, which older Electrons bring.
  const stop = (): void => {
    const stopped = signals.find(({ aborted }) => aborted);
    if (stopped !== undefined) ended.abort(stopped.reason);
  };
  for (const signal of signals) signal.addEventListener('abort', stop);
  stop();
  const cancelTimer = clock.after(timeoutMs, () =>
    ended.abort(new KerfError('SINK_UNREACHABLE', `${url.host} did not answer within ${timeoutMs} ms`)),
  );
  try {
    // Not followed: a signed record goes to whom the station file names, and to nobody else.
    const answer = await send(url, { ...init, method: 'POST', redirect: 'manual', signal: ended.signal });
    await answer.body?.cancel();
    if (answer.ok) return;
    throw refusal(url, answer);
  } catch (cause) {
    for (const signal of signals) signal.throwIfAborted();
    const reason = KerfError.is(ended.signal.reason) ? ended.signal.reason : cause;
    const untrusted = untrustedError(reason, url.host);
    if (untrusted !== null) throw untrusted;
    const why = reason instanceof Error && reason.cause !== undefined ? messageOf(reason.cause) : messageOf(reason);
    throw KerfError.from(reason, 'SINK_UNREACHABLE', `${url.host} cannot be reached: ${why}`);
  } finally {
    cancelTimer();
    for (const signal of signals) signal.removeEventListener('abort', stop);
  }
}

function refusal(url: URL, { status, type, headers }: Response): KerfError {
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    return new KerfError('SINK_REFUSED', `${url.host} answers with a redirect; name its target in the station file`);
  }
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN);
  const details = { status, ...(Number.isFinite(retryAfter) && { retryAfterMs: retryAfter * 1000 }) };
  if (status >= 500 || MAY_PASS.has(status)) {
    return new KerfError('SINK_UNREACHABLE', `${url.host} answers ${status}`, { details });
  }
  return new KerfError('SINK_REFUSED', `${url.host} refuses the record with ${status}; check URL, token and secret`, {
    details,
  });
}
