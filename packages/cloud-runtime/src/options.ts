// What the caller of startCloud passes, and the same with every default filled in.
import type { OptimizationLevel, WireLimits } from '@kerf/protocol';
import type { BatchingOptions, CloudLimits, QueueOptions } from './limits.ts';
import type { Log } from './log.ts';

/** How the cloud proves who it is. */
export type TlsOptions =
  /** A certificate made on first start, kept in `stateDir`; for development and closed networks. */
  | { readonly kind: 'development'; readonly hosts?: readonly string[] }
  /** PEM files; the certificate file holds the chain. */
  | { readonly kind: 'files'; readonly certPath: string; readonly keyPath: string }
  /** No encryption. Tokens and data can be read by everyone on the way. */
  | { readonly kind: 'insecure' };

/** Who may use the cloud. */
export type AuthOptions =
  | {
      readonly kind: 'token';
      /** SPKI PEM file of the issuer's Ed25519 public key, or several of them while keys are changed. */
      readonly publicKeyPaths: readonly string[];
      readonly audience: string;
      readonly issuer?: string;
      /** File of revoked tokens and subjects, one a line; read again when it changes. */
      readonly revokedPath?: string;
    }
  /** Every program that can connect may use every model; of pages those of this machine, and of the origins named. */
  | { readonly kind: 'none'; readonly origins?: readonly string[] };

/** Options of {@link startCloud}. Times in milliseconds, sizes in bytes. */
export interface CloudOptions {
  /** Folder whose sub-folders are the models. */
  readonly modelsDir: string;
  /** Folder for the development certificate. @default '.kerf' */
  readonly stateDir?: string;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes a free port. @default 8443 */
  readonly port?: number;
  /** Permits `tls: insecure` on a host other than loopback. @default false */
  readonly allowInsecureRemote?: boolean;
  /** @default { kind: 'development' } */
  readonly tls?: TlsOptions;
  readonly auth: AuthOptions;
  /** Where `/metrics` and `/v2/health/*` are served in plain HTTP besides; null: `/metrics` on the main port. @default null */
  readonly metrics?: { readonly host?: string; readonly port: number } | null;
  /** Where spans of frames that carry a sampled trace go, as OTLP over HTTP; null: nowhere. @default null */
  readonly traces?: TraceOptions | null;
  /** Models loaded before the cloud reports itself ready. @default [] */
  readonly preload?: readonly string[];
  /**
   * Tried in order until one takes the model and gets its samples right: `cpu`, `cuda`, `tensorrt`, `webgpu`, `dml`
   * (DirectML), `coreml`, where the platform has them. @default ['cpu']
   */
  readonly providers?: readonly string[];
  /** Threads within one operator. @default 1 */
  readonly threads?: number;
  /** @default 'all' */
  readonly optimizationLevel?: OptimizationLevel;
  readonly wire?: Partial<WireLimits>;
  readonly limits?: Partial<CloudLimits>;
  readonly batching?: Partial<BatchingOptions>;
  readonly queue?: Partial<QueueOptions>;
  /** @default () => {} */
  readonly log?: Log;
}

/** A collector of traces. */
export interface TraceOptions {
  /** Such as `http://localhost:4318`. */
  readonly endpoint: string;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Options with every default filled in. */
export interface ResolvedCloudOptions {
  readonly modelsDir: string;
  readonly stateDir: string;
  readonly host: string;
  readonly port: number;
  readonly allowInsecureRemote: boolean;
  readonly tls: TlsOptions;
  readonly auth: AuthOptions;
  readonly metrics: { readonly host: string; readonly port: number } | null;
  readonly traces: TraceOptions | null;
  readonly preload: readonly string[];
  readonly providers: readonly string[];
  readonly threads: number;
  readonly optimizationLevel: OptimizationLevel;
  readonly wire: WireLimits;
  readonly limits: CloudLimits;
  readonly batching: BatchingOptions;
  readonly queue: QueueOptions;
  readonly log: Log;
}
