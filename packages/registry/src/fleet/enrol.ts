// One-time tokens -> devices with a credential of their own. The device draws its secret itself and sends only the hash, so
// an answer that is lost on the way can be asked for again.
import { KerfError } from '@kerf/protocol';
import { appendAudit } from '../audit/log.ts';
import type { RegistryContext } from '../context.ts';
import { hashOfSecret, isSecret, newSecret } from '../secrets.ts';
import { one, type Sql } from '../store/database.ts';
import { writeTags } from './tags.ts';

export interface EnrolmentRequest {
  readonly groups: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly expiresInSeconds: number;
  /** @default null: the device names itself */
  readonly deviceId: string | null;
}

export interface Enrolment {
  /** `ke1.ID.SECRET`: shown once. */
  readonly token: string;
  readonly expiresAt: number;
}

/** Before the parts of a token or credential: what it is and its version. */
export const ENROLMENT_PREFIX = 'ke1';
export const CREDENTIAL_PREFIX = 'kd1';

/** @throws {KerfError} CONFLICT when too many are open. */
export async function createEnrolment(
  context: RegistryContext,
  actor: string,
  request: EnrolmentRequest,
): Promise<Enrolment> {
  const { database, limits, wallNowMs, newId } = context;
  const id = newId();
  const secret = newSecret();
  const nowMs = wallNowMs();
  const expiresAt = nowMs + request.expiresInSeconds * 1000;
  await database.transaction(async (sql) => {
    const open = await one<{ n: number }>(
      sql,
      'SELECT count(*) AS n FROM enrolment_tokens WHERE used_at IS NULL AND expires_at > $1',
      [nowMs],
    );
    if ((open?.n ?? 0) >= limits.maxOpenEnrolments) {
      throw new KerfError(
        'CONFLICT',
        `${limits.maxOpenEnrolments} enrolment tokens are unused: use or let expire some`,
      );
    }
    await sql.all(
      `INSERT INTO enrolment_tokens (id, secret_sha256, groups, labels, expires_at, created_by, device_id, used_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)`,
      [
        id,
        hashOfSecret(secret),
        JSON.stringify(request.groups),
        JSON.stringify(request.labels),
        expiresAt,
        actor,
        request.deviceId,
      ],
    );
    const { groups, labels, deviceId } = request;
    const detail = { groups, labels, deviceId, expiresAt };
    await appendAudit(sql, { actor, action: 'enrolment.created', subject: id, detail }, nowMs);
  });
  return { token: `${ENROLMENT_PREFIX}.${id}.${secret}`, expiresAt };
}

interface TokenRow {
  readonly id: string;
  readonly secret_sha256: string;
  readonly groups: string;
  readonly labels: string;
  readonly expires_at: number;
  readonly device_id: string | null;
  readonly used_at: number | null;
}

/**
 * Makes the device, or confirms that this token made it with this very credential.
 * @param token `ke1.ID.SECRET`
 * @param credentialSha256 hex SHA-256 of the secret that the device has drawn
 * @throws {KerfError} UNAUTHENTICATED, TOKEN_EXPIRED, CONFLICT when a device of this id is enrolled and not retired.
 */
export async function enrolDevice(
  context: RegistryContext,
  token: string,
  deviceId: string,
  credentialSha256: string,
): Promise<{ readonly created: boolean }> {
  const nowMs = context.wallNowMs();
  return context.database.transaction(async (sql) => {
    const row = await tokenOf(sql, token);
    if (row.device_id !== null && row.device_id !== deviceId) {
      throw new KerfError('UNAUTHENTICATED', 'this enrolment token is for another device, or was used by another');
    }
    const known = await one<{ credential_sha256: string; retired: number }>(
      sql,
      'SELECT credential_sha256, retired FROM devices WHERE id = $1',
      [deviceId],
    );
    if (row.used_at !== null) {
      if (known?.credential_sha256 === credentialSha256) return { created: false };
      throw new KerfError('UNAUTHENTICATED', 'this enrolment token has been used; ask for another');
    }
    if (row.expires_at <= nowMs)
      throw new KerfError('TOKEN_EXPIRED', 'the enrolment token has expired; ask for another');
    if (known?.retired === 0) {
      throw new KerfError(
        'CONFLICT',
        `a device '${deviceId}' is enrolled already: choose another id, or retire it first`,
      );
    }
    await insertDevice(context, sql, row, deviceId, credentialSha256, nowMs);
    return { created: true };
  });
}

async function tokenOf(sql: Sql, token: string): Promise<TokenRow> {
  const [prefix, id = '', secret = ''] = token.split('.');
  const row =
    prefix === ENROLMENT_PREFIX ? await one<TokenRow>(sql, 'SELECT * FROM enrolment_tokens WHERE id = $1', [id]) : null;
  if (row === null || !isSecret(secret, row.secret_sha256)) {
    throw new KerfError('UNAUTHENTICATED', 'this is no enrolment token of this registry');
  }
  return row;
}

async function insertDevice(
  { limits }: RegistryContext,
  sql: Sql,
  token: TokenRow,
  deviceId: string,
  credentialSha256: string,
  nowMs: number,
): Promise<void> {
  const count = await one<{ n: number }>(sql, 'SELECT count(*) AS n FROM devices WHERE retired = 0');
  if ((count?.n ?? 0) >= limits.maxDevices) {
    throw new KerfError('CONFLICT', `the registry has ${limits.maxDevices} devices, its limit: retire some`);
  }
  // A device that was retired begins anew under its name: what it had and was told went with it, its past in rollouts stays.
  await sql.all('DELETE FROM device_models WHERE device_id = $1', [deviceId]);
  await sql.all(
    `INSERT INTO devices (id, credential_sha256, retired, enrolled_at) VALUES ($1, $2, 0, $3)
     ON CONFLICT (id) DO UPDATE SET credential_sha256 = $2, retired = 0, enrolled_at = $3, last_seen_at = NULL,
       agent = NULL, provider = NULL, cut = NULL, health = NULL`,
    [deviceId, credentialSha256, nowMs],
  );
  const groups = JSON.parse(token.groups) as string[];
  const labels = JSON.parse(token.labels) as Record<string, string>;
  await writeTags(sql, deviceId, { groups, labels });
  await sql.all('UPDATE enrolment_tokens SET used_at = $1, device_id = $2 WHERE id = $3', [nowMs, deviceId, token.id]);
  const detail = { enrolment: token.id, groups, labels };
  await appendAudit(sql, { actor: `device:${deviceId}`, action: 'device.enrolled', subject: deviceId, detail }, nowMs);
}
