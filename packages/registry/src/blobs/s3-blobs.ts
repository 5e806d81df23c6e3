// A bucket of an S3-compatible store -> a blob store. Its PUT checks the hash, and is atomic where the store is as
// good as S3; of one that is not, what was broken off is removed, and never taken for the blob.
import { KerfError } from '@kerf/protocol';
import { type BlobStore, isBlobKey } from './blob-store.ts';
import { checkedSource } from './checked-source.ts';
import { askS3, type S3Answer, type S3Call, type S3Options } from './s3-request.ts';

/** Largest object of one PUT; a larger file would need parts. */
const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** @throws {KerfError} STORE_FAILED when the store does not answer, takes other credentials, or has no such bucket. */
export async function openS3Blobs(options: S3Options): Promise<BlobStore> {
  const call = (what: S3Call & { readonly key: string }): Promise<S3Answer> => {
    if (!isBlobKey(what.key)) throw new KerfError('INVALID_ARGUMENT', 'this is no key of a blob');
    return askS3(options, what);
  };
  const checked = (answer: S3Answer, method: S3Call['method']): void => {
    if (answer.status < 200 || answer.status > 299) throw refusal(answer, method, options.bucket);
  };
  const stat: BlobStore['stat'] = async (key) => {
    const answer = await call({ method: 'HEAD', key });
    if (answer.status === 404) return null;
    checked(answer, 'HEAD');
    return { bytes: Number(answer.headers.get('content-length')) };
  };
  const remove: BlobStore['remove'] = async (key) => {
    const answer = await call({ method: 'DELETE', key });
    if (answer.status !== 404) checked(answer, 'DELETE');
  };
  /** Not every store forgets a PUT that was broken off; what another writer has stored meanwhile has its whole length. */
  const removeBroken = async (key: string, bytes: number): Promise<void> => {
    const found = await stat(key);
    if (found !== null && found.bytes !== bytes) await remove(key);
  };
  async function* read(key: string, { start, end }: { start: number; end: number }): AsyncGenerator<Uint8Array> {
    if (end <= start) return;
    const answer = await call({ method: 'GET', key, headers: { range: `bytes=${start}-${end - 1}` } });
    if (answer.status === 404 && answer.code !== 'NoSuchBucket') {
      throw new KerfError('NOT_FOUND', 'there is no such blob');
    }
    checked(answer, 'GET');
    let left = end - start;
    const wrong = (): KerfError =>
      new KerfError('STORE_FAILED', 'the S3 store answered with other bytes than asked for');
    if (answer.status !== 206) throw new KerfError('STORE_FAILED', 'the S3 store does not answer range requests');
    for await (const chunk of answer.body()) {
      left -= chunk.byteLength;
      if (left < 0) throw wrong();
      yield chunk;
    }
    if (left > 0) throw wrong();
  }
  const bucket = await askS3(options, { method: 'HEAD', key: null });
  if (bucket.status === 404) throw noBucket(options.bucket);
  checked(bucket, 'HEAD');
  return {
    stat,
    read,
    async write(key, source, expected) {
      if ((await stat(key))?.bytes === expected.bytes) return;
      if (expected.bytes > MAX_PUT_BYTES) {
        throw new KerfError('STORE_FAILED', 'the S3 store takes blobs of at most 5 GiB from kerf');
      }
      const body = { stream: checkedSource(source, expected), sha256: expected.sha256 };
      try {
        checked(await call({ method: 'PUT', key, body, headers: { 'content-length': String(expected.bytes) } }), 'PUT');
      } catch (error) {
        await removeBroken(key, expected.bytes).catch(() => undefined);
        throw error;
      }
    },
    remove,
  };
}

function refusal({ status, code }: S3Answer, method: S3Call['method'], bucket: string): KerfError {
  if (code === 'NoSuchBucket') return noBucket(bucket);
  const hint = status === 403 ? ': are the credentials right, and the clock?' : '';
  const said = code === null ? String(status) : `${status} (${code})`;
  return new KerfError('STORE_FAILED', `the S3 store answered ${method} with ${said}${hint}`);
}

function noBucket(bucket: string): KerfError {
  return new KerfError('STORE_FAILED', `the S3 store has no bucket '${bucket}': make it first`);
}
