// JSON that is to leave the device -> the same without what may be a secret, and how much that was.

export interface Cleaned {
  readonly value: unknown;
  /** Values that were left out. */
  readonly hidden: number;
}

export const HIDDEN = '(left out)';

/** Keys whose values are secrets; one that names a file with a secret is none. */
const SECRET_KEY = /(token|secret|passw|passphrase|credential|authorization|api-?key|private)/i;
const FILE_KEY = /(file|path)$/i;

/** Secrets that give themselves away wherever they stand. */
const SECRET_TEXTS: readonly RegExp[] = [
  // Tokens (JWT), a device's credential, an invitation.
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /\bk[de]1\.[\w.-]{1,128}\.[\w-]{8,}/g,
  /\b(bearer|basic) [\w.~+/=-]{8,}/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  // A name and a password in an address, and what stands behind its question mark.
  /(?<=:\/\/)[^\s/@:]+(:[^\s/@]*)?@/g,
  /(?<=:\/\/[^\s"'?]+\?)[^\s"'#]+/g,
];

export function withoutSecrets(value: unknown): Cleaned {
  let hidden = 0;
  const clean = (part: unknown, key: string): unknown => {
    if (part === null || part === undefined) return part;
    if (SECRET_KEY.test(key) && !FILE_KEY.test(key) && typeof part !== 'object' && typeof part !== 'boolean') {
      hidden++;
      return HIDDEN;
    }
    if (typeof part === 'string') return cleanText(part);
    if (Array.isArray(part)) return part.map((item) => clean(item, key));
    if (typeof part !== 'object') return part;
    return Object.fromEntries(Object.entries(part).map(([name, item]) => [name, clean(item, name)]));
  };
  const cleanText = (text: string): string =>
    SECRET_TEXTS.reduce(
      (left, pattern) =>
        left.replace(pattern, () => {
          hidden++;
          return HIDDEN;
        }),
      text,
    );
  return { value: clean(value, ''), hidden };
}
