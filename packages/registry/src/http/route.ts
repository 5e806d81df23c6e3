// What a route is: the description that becomes OpenAPI, and the function that answers.
import type { Grant, RegistryPermission } from '@kerf/access';
import type { DeviceRow } from '../fleet/devices.ts';
import type { Schema } from './schema.ts';

/** Who may call. `reader`: a device, or a token with `read`. `enrolment`: an enrolment token, which the handler checks. */
export type Access =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'enrolment' }
  | { readonly kind: 'device' }
  | { readonly kind: 'reader' }
  | { readonly kind: 'token'; readonly permission: RegistryPermission };

export const anyone: Access = { kind: 'anyone' };
export const device: Access = { kind: 'device' };
export const reader: Access = { kind: 'reader' };
export const may = (permission: RegistryPermission): Access => ({ kind: 'token', permission });

/** Whom the credential names. */
export type Caller =
  | { readonly kind: 'nobody'; readonly secret: string | null }
  | { readonly kind: 'device'; readonly device: DeviceRow }
  | { readonly kind: 'token'; readonly grant: Grant };

/** Bytes instead of JSON. */
export const BYTES = 'bytes';

export interface AnswerShape {
  readonly description: string;
  /** Null: no body. */
  readonly body: Schema | typeof BYTES | null;
}

export interface Call {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Checked against the route's schema; null where there is none. */
  readonly body: unknown;
  /** Of a route that takes bytes: the length announced, and the bytes as they come. */
  readonly upload: { readonly bytes: number; readonly source: AsyncIterable<Uint8Array> } | null;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly caller: Caller;
  /** For the audit log. */
  readonly actor: string;
}

export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly stream?: AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/v1/devices/{device}`; a last part `{path*}` takes the rest. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly access: Access;
  /** Of the parts in braces. */
  readonly parameters?: Readonly<Record<string, Schema>>;
  readonly query?: Readonly<Record<string, Schema>>;
  readonly body?: Schema | typeof BYTES;
  /** A larger bound than other bodies have, in bytes. */
  readonly maxBodyBytes?: number;
  /** Headers that the handler looks at. */
  readonly headers?: Readonly<Record<string, Schema>>;
  readonly answers: Readonly<Record<number, AnswerShape>>;
  readonly handle: (call: Call) => Promise<Answer>;
}

export function ok(json: unknown): Answer {
  return { status: 200, json };
}
