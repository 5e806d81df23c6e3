// The repository as devices fetch it: the same paths as in a folder or on a USB stick, with ranges and entity tags.

import { KerfError } from '@kerf/protocol';
import { type BlobStore, type ByteSpan, blobKey, deltaKey } from '../blobs/blob-store.ts';
import type { RegistryContext } from '../context.ts';
import { askDelta, deltaRow } from '../deltas/delta-rows.ts';
import { rangeOf } from '../http/range.ts';
import { type Answer, BYTES, type Call, type Route, reader } from '../http/route.ts';
import { BAD_REQUEST, FORBIDDEN, NOT_FOUND, RATE_LIMITED, text, UNAUTHENTICATED, UNAVAILABLE } from '../http/shapes.ts';
import { TIMESTAMP } from '../releases/publication.ts';
import { repositoryFile } from '../releases/repository-files.ts';

const BLOB = /^blobs\/([0-9a-f]{2})\/([0-9a-f]{64})$/;
const DELTA = /^deltas\/([0-9a-f]{64}|none)-([0-9a-f]{64})\.kdelta$/;
const FILE = /^(metadata|targets)\//;

/** Something that can be sent in parts. */
interface Resource {
  readonly etag: string;
  readonly bytes: number;
  readonly type: string;
  readonly caching: string;
  read(span: ByteSpan): AsyncIterable<Uint8Array>;
}

/** Its bytes never change. */
const FOR_EVER = 'private, max-age=31536000, immutable';

/** @param onAsked a delta was asked for that is not there yet */
export function repositoryRoutes(context: RegistryContext, blobs: BlobStore, onAsked: () => void): Route[] {
  return [
    {
      method: 'GET',
      path: '/repository/{path*}',
      id: 'getFile',
      summary:
        'Metadata, manifests, blobs and deltas; the path may have several parts. A delta that is not there is asked for.',
      access: reader,
      parameters: { path: text(512) },
      headers: { range: { type: 'string' }, 'if-none-match': { type: 'string' }, 'if-range': { type: 'string' } },
      answers: {
        200: { description: 'the file', body: BYTES },
        206: { description: 'the range', body: BYTES },
        304: { description: 'it has this entity tag', body: null },
        416: { description: 'the range lies outside', body: null },
        ...BAD_REQUEST,
        ...UNAUTHENTICATED,
        ...FORBIDDEN,
        ...NOT_FOUND,
        ...RATE_LIMITED,
        ...UNAVAILABLE,
      },
      async handle({ path, headers }) {
        const resource = await find(context, blobs, path['path'] as string, onAsked);
        return resourceAnswer(resource, headers);
      },
    },
  ];
}

async function find(context: RegistryContext, blobs: BlobStore, path: string, onAsked: () => void): Promise<Resource> {
  const [, , sha256] = BLOB.exec(path) ?? [];
  if (sha256 !== undefined) return stored(blobs, blobKey(sha256), sha256);
  const [, from, to] = DELTA.exec(path) ?? [];
  if (from !== undefined && to !== undefined) {
    const row = await deltaRow(context.database, from, to);
    if (row?.state === 'ready')
      return stored(blobs, deltaKey(from, to), `${from.slice(0, 32)}-${to.slice(0, 32)}-${row.bytes}`);
    if (row === null) await askQuietly(context, from, to, onAsked);
    throw new KerfError('NOT_FOUND', 'this delta is not there: take the whole file, or ask again later');
  }
  const file = FILE.test(path) ? await repositoryFile(context.database, path) : null;
  if (file === null) throw new KerfError('NOT_FOUND', 'the repository has no such file');
  return {
    etag: `"${file.sha256}"`,
    bytes: file.bytes.byteLength,
    type: 'application/json',
    caching: path === TIMESTAMP ? 'private, no-cache' : FOR_EVER,
    async *read({ start, end }) {
      yield file.bytes.subarray(start, end);
    },
  };
}

/** Whether it can be made or not, the answer is that it is not there. */
async function askQuietly(context: RegistryContext, from: string, to: string, onAsked: () => void): Promise<void> {
  try {
    await askDelta(context, from, to);
    onAsked();
  } catch (error) {
    if (!KerfError.is(error) || error.code === 'STORE_FAILED') throw error;
  }
}

async function stored(blobs: BlobStore, key: string, tag: string): Promise<Resource> {
  const stat = await blobs.stat(key);
  if (stat === null) throw new KerfError('NOT_FOUND', 'the repository has no such file');
  return {
    etag: `"${tag}"`,
    bytes: stat.bytes,
    type: 'application/octet-stream',
    caching: FOR_EVER,
    read: (span) => blobs.read(key, span),
  };
}

function resourceAnswer(resource: Resource, headers: Call['headers']): Answer {
  const { etag, bytes, type, caching } = resource;
  const shared = { etag, 'accept-ranges': 'bytes', 'cache-control': caching };
  const answer = rangeOf(headers, etag, bytes);
  if (answer.status === 304) return { status: 304, headers: shared };
  if (answer.status === 416) return { status: 416, headers: { ...shared, 'content-range': `bytes */${bytes}` } };
  const { start, end } = answer.span;
  return {
    status: answer.status,
    stream: resource.read(answer.span),
    headers: {
      ...shared,
      'content-type': type,
      'content-length': String(end - start),
      ...(answer.status === 206 ? { 'content-range': `bytes ${start}-${end - 1}/${bytes}` } : {}),
    },
  };
}
