// What a session tells about its link, as small plain events.
import type { CertificateCause, ErrorCode } from '@kerf/protocol';

export type SessionStatus =
  /** The device runs the whole model; there is no cloud. */
  | { readonly kind: 'local' }
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'connected'; readonly resumed: boolean; readonly credits: number }
  /** The cloud goes away in an orderly manner; frames in flight are still answered. */
  | { readonly kind: 'draining'; readonly graceMs: number; readonly reason: string }
  | { readonly kind: 'reconnecting'; readonly delayMs: number; readonly code: ErrorCode; readonly message: string }
  /** Trying again does not help by itself; the next attempt is far away. */
  | {
      readonly kind: 'faulted';
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryInMs: number;
      /** Of TLS_UNTRUSTED, where this end has looked at the certificate. */
      readonly cause: CertificateCause | null;
    }
  | { readonly kind: 'closed' };

export type StatusListener = (status: SessionStatus) => void;
