// A camera's challenge, user and password -> the header that answers it: Digest (RFC 2617, 7616) or Basic.
import { createHash, randomBytes } from 'node:crypto';

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Null where the camera asks for something that is not known here. @param challenges values of WWW-Authenticate */
export function authorize(challenges: readonly string[], login: Login, method: string, uri: string): string | null {
  const digests = challenges.filter((one) => /^digest /i.test(one)).map(fieldsOf);
  // The stronger one where there is a choice.
  const best = digests.find((one) => one.get('algorithm') === 'SHA-256') ?? digests.find(isKnown);
  if (best !== undefined) return digestOf(best, login, method, uri);
  if (!challenges.some((one) => /^basic /i.test(one))) return null;
  return `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
}

function isKnown(fields: ReadonlyMap<string, string>): boolean {
  return ['MD5', 'SHA-256'].includes(fields.get('algorithm') ?? 'MD5');
}

function fieldsOf(challenge: string): Map<string, string> {
  const found = challenge.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/g);
  return new Map(Array.from(found, ([, name = '', quoted, plain]) => [name.toLowerCase(), quoted ?? plain ?? '']));
}

function digestOf(fields: ReadonlyMap<string, string>, { user, password }: Login, method: string, uri: string): string {
  const algorithm = fields.get('algorithm');
  const hash = (text: string): string =>
    createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
      .update(text)
      .digest('hex');
  const realm = fields.get('realm') ?? '';
  const nonce = fields.get('nonce') ?? '';
  const secret = hash(`${user}:${realm}:${password}`);
  const asked = hash(`${method}:${uri}`);
  const isProtected = (fields.get('qop') ?? '').split(/\s*,\s*/).includes('auth');
  const [count, own] = ['00000001', randomBytes(8).toString('hex')];
  const response = hash(
    isProtected ? `${secret}:${nonce}:${count}:${own}:auth:${asked}` : `${secret}:${nonce}:${asked}`,
  );
  const opaque = fields.get('opaque');
  return [
    `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}"`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(isProtected ? [`qop=auth, nc=${count}, cnonce="${own}"`] : []),
    ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
  ].join(', ');
}
