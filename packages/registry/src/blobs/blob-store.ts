// The seam between the registry and where the bytes of releases and deltas lie, each under a key that never changes its bytes.

export interface StoredBlob {
  readonly bytes: number;
}

/** Bytes `[start, end)` of a blob. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

export interface BlobStore {
  /** Null when there is none. @throws {KerfError} STORE_FAILED. */
  stat(key: string): Promise<StoredBlob | null>;
  /**
   * @param span must lie within the blob
   * @throws {KerfError} NOT_FOUND, STORE_FAILED, also while it is read.
   */
  read(key: string, span: ByteSpan): AsyncIterable<Uint8Array>;
  /**
   * Stores all of `source`, or nothing: a reader, and a start after a power failure, sees the whole blob or none.
   * A blob that is there already stays; `source` is then not read.
   * @param key parts of a-z, 0-9, `.`, `_` and `-`, with slashes between
   * @param expected bytes that `source` must have, and their hex SHA-256
   * @throws {KerfError} INVALID_ARGUMENT when `source` has other bytes, STORE_FAILED.
   */
  write(key: string, source: AsyncIterable<Uint8Array>, expected: BlobClaim): Promise<void>;
  /** No error when there is none. */
  remove(key: string): Promise<void>;
}

export interface BlobClaim {
  readonly bytes: number;
  readonly sha256: string;
}

const KEY = /^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*){0,3}$/;

export function isBlobKey(key: string): boolean {
  return key.length <= 255 && KEY.test(key);
}

/** Where the file of a release with this hash lies. */
export function blobKey(sha256: string): string {
  return `blobs/${sha256.slice(0, 2)}/${sha256}`;
}

/** Where a delta lies. */
export function deltaKey(from: string, to: string): string {
  return `deltas/${from}-${to}.kdelta`;
}
