// The Authorization header -> who calls; and whether a route is open to them.
import { mayInRegistry, type VerifyToken } from '@kerf/access';
import { KerfError } from '@kerf/protocol';
import { deviceRow } from '../fleet/devices.ts';
import { CREDENTIAL_PREFIX, ENROLMENT_PREFIX } from '../fleet/enrol.ts';
import { isSecret } from '../secrets.ts';
import type { Sql } from '../store/database.ts';
import type { Access, Caller } from './route.ts';

/** Longer than any token or credential. */
const MAX_CREDENTIAL = 8192;

/** @throws {KerfError} UNAUTHENTICATED, TOKEN_EXPIRED. */
export async function callerOf(sql: Sql, verify: VerifyToken, header: string | undefined): Promise<Caller> {
  if (header === undefined) return { kind: 'nobody', secret: null };
  const match = /^Bearer ([\x21-\x7e]+)$/i.exec(header);
  const credential = match?.[1];
  if (credential === undefined || credential.length > MAX_CREDENTIAL) {
    throw new KerfError('UNAUTHENTICATED', "the header 'Authorization' must be 'Bearer CREDENTIAL'");
  }
  if (credential.startsWith(`${ENROLMENT_PREFIX}.`)) return { kind: 'nobody', secret: credential };
  if (!credential.startsWith(`${CREDENTIAL_PREFIX}.`)) return { kind: 'token', grant: await verify(credential) };
  // Ids may hold dots, secrets never do.
  const rest = credential.slice(CREDENTIAL_PREFIX.length + 1);
  const id = rest.slice(0, Math.max(0, rest.lastIndexOf('.')));
  const device = await deviceRow(sql, id);
  const secret = rest.slice(id.length + 1);
  if (device === null || device.retired === 1 || !isSecret(secret, device.credential_sha256)) {
    throw new KerfError('UNAUTHENTICATED', 'this device is not enrolled here, was retired, or has another credential');
  }
  return { kind: 'device', device };
}

/** @throws {KerfError} UNAUTHENTICATED, FORBIDDEN. */
export function requireAccess(access: Access, caller: Caller): void {
  if (access.kind === 'anyone') return;
  if (access.kind === 'enrolment') {
    if (caller.kind === 'nobody' && caller.secret !== null) return;
    throw new KerfError('UNAUTHENTICATED', 'enrolment needs an enrolment token: ask an operator for one');
  }
  if (caller.kind === 'nobody') {
    throw new KerfError('UNAUTHENTICATED', 'this needs a credential: a token, or that of a device');
  }
  if (caller.kind === 'device') {
    if (access.kind === 'device' || access.kind === 'reader') return;
    throw new KerfError('FORBIDDEN', 'a device may not do this');
  }
  if (access.kind === 'device') throw new KerfError('FORBIDDEN', 'only a device may do this');
  const wanted = access.kind === 'reader' ? 'read' : access.permission;
  if (!mayInRegistry(caller.grant.registry, wanted)) {
    throw new KerfError('FORBIDDEN', `the token does not allow '${wanted}' in the registry`);
  }
}

/** For the audit log and the rate limit. */
export function actorOf(caller: Caller): string {
  if (caller.kind === 'device') return `device:${caller.device.id}`;
  return caller.kind === 'token' ? caller.grant.subject : 'anonymous';
}
