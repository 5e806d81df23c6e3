// The certificate files of a server that runs -> the server's own: one that was replaced counts from the next connection on.
import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { type Clock, lookAgain } from '@kerf/protocol';
import type { ServerCertificate } from './certificate.ts';

export type CertificateEvent =
  | { readonly event: 'certificate-replaced' | 'certificate-ends'; readonly validTo: string }
  | { readonly event: 'certificate-unusable'; readonly reason: string };

export interface FollowOptions {
  readonly clock: Clock;
  readonly wallNowMs: () => number;
  readonly tell: (event: CertificateEvent) => void;
}

const LOOK_MS = 2000;
const DAY_MS = 24 * 3600 * 1000;
/** From so long before the end on, it is told once a day. */
const WARN_DAYS = 14;

/**
 * Looks at the files every two seconds. What cannot be used is told, and the certificate before it serves on; connections
 * that stand are left alone.
 * @returns how to end it.
 */
export function followCertificate(
  server: { setSecureContext(options: SecureContextOptions): void },
  first: ServerCertificate,
  { clock, wallNowMs, tell }: FollowOptions,
): () => void {
  let current = first;
  let toldDays = WARN_DAYS;
  const use = (next: ServerCertificate): void => {
    if (next.certPem === current.certPem && next.keyPem === current.keyPem) return;
    server.setSecureContext(tlsContext(next));
    current = next;
    toldDays = WARN_DAYS;
    tell({ event: 'certificate-replaced', validTo: endOf(next).toISOString() });
  };
  const warn = (): void => {
    const days = Math.floor((endOf(current).getTime() - wallNowMs()) / DAY_MS);
    if (days >= toldDays) return;
    toldDays = days;
    tell({ event: 'certificate-ends', validTo: endOf(current).toISOString() });
  };
  const look = async (): Promise<void> => {
    try {
      use(await current.renewed());
    } finally {
      warn();
    }
  };
  // Two files are never replaced in one step: what two looks agree on is said.
  return lookAgain(clock, LOOK_MS, look, (reason) => tell({ event: 'certificate-unusable', reason }));
}

/** TLS 1.3 with this certificate. */
export function tlsContext({ certPem, keyPem }: ServerCertificate): SecureContextOptions {
  return { cert: certPem, key: keyPem, minVersion: 'TLSv1.3' };
}

function endOf({ certPem }: ServerCertificate): Date {
  return new Date(new X509Certificate(certPem).validTo);
}
