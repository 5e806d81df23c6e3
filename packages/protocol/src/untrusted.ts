// What Node says of a peer whose certificate does not hold -> why, as a kind with values, and TLS_UNTRUSTED.
import { errorWithWhy } from './error-why.ts';
import type { KerfError } from './errors.ts';

/** Why the certificate of `host` does not hold. `error`: Node's code; `clock`: what time it is on this device. */
export type CertificateCause =
  | {
      readonly kind: 'certificate-expired' | 'certificate-too-early';
      readonly host: string;
      readonly error: string;
      readonly clock: string;
    }
  | {
      readonly kind: 'certificate-other-name' | 'certificate-unknown';
      readonly host: string;
      readonly error: string;
    };

/** Node's names for it. */
const UNTRUSTED =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH_)/;

/**
 * TLS_UNTRUSTED with its {@link CertificateCause}, or null for any other error.
 * @param error of a socket or a request, or of `fetch`, which has the socket's as its cause
 * @param host as people know it, with its port where it has one
 */
export function untrustedError(error: unknown, host: string): KerfError | null {
  const code = codeOf(error) ?? codeOf((error as { cause?: unknown } | null)?.cause);
  if (code === null || !UNTRUSTED.test(code)) return null;
  const why = certificateCause(code, host);
  return errorWithWhy('TLS_UNTRUSTED', certificateText(why), why, { cause: error });
}

export function certificateText(why: CertificateCause): string {
  const lead = `the certificate of ${why.host} is not trusted (${why.error})`;
  switch (why.kind) {
    case 'certificate-expired':
      return `${lead}: it has expired by the clock of this device, which says ${why.clock}`;
    case 'certificate-too-early':
      return `${lead}: it is not valid yet by the clock of this device, which says ${why.clock}`;
    case 'certificate-other-name':
      return `${lead}: it is for another name; connect by the name in it, unless something else of the network answers`;
    case 'certificate-unknown':
      return `${lead}; give the file of its authority (ca, or --ca), unless something else of the network answers in its place`;
  }
}

function certificateCause(code: string, host: string): CertificateCause {
  const clock = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  if (code === 'CERT_HAS_EXPIRED') return { kind: 'certificate-expired', host, error: code, clock };
  if (code === 'CERT_NOT_YET_VALID') return { kind: 'certificate-too-early', host, error: code, clock };
  const isOther = code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH';
  return { kind: isOther ? 'certificate-other-name' : 'certificate-unknown', host, error: code };
}

function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : null;
}
