// What publishers call, and what everyone may ask of releases and deltas.
import { createHash } from 'node:crypto';
import { type ByteReader, HEADER_BYTES, readDeltaIndex, signedBytesOf } from '@kerf/delta-sync';
import { KerfError } from '@kerf/protocol';
import { type BlobStore, blobKey, deltaKey } from '../blobs/blob-store.ts';
import type { RegistryContext } from '../context.ts';
import { chooseRoute } from '../deltas/choose-route.ts';
import { askDelta, DELTA_STATES, deltaRow, deltasTowards, knownFile, putDelta } from '../deltas/delta-rows.ts';
import { DIGEST_OR_NONE } from '../http/patterns.ts';
import { BYTES, type Call, may, ok, type Route, reader } from '../http/route.ts';
import type { Schema } from '../http/schema.ts';
import {
  BAD_REQUEST,
  CONFLICT,
  count,
  digest,
  FORBIDDEN,
  listOf,
  modelName,
  NOT_FOUND,
  object,
  orNull,
  RATE_LIMITED,
  TOO_LARGE,
  text,
  timeMs,
  UNAUTHENTICATED,
  UNAVAILABLE,
} from '../http/shapes.ts';
import type { SentFile } from '../releases/publication.ts';
import { publish } from '../releases/publish.ts';
import { listReleases, readManifest, readRelease } from '../releases/releases.ts';
import { afterOf, limitOf, page, pageQuery } from './paging.ts';

const COMMON = { ...BAD_REQUEST, ...UNAUTHENTICATED, ...FORBIDDEN, ...RATE_LIMITED, ...UNAVAILABLE };
const MAX_FILES = 2000;
const digestOrNone: Schema = {
  type: 'string',
  pattern: DIGEST_OR_NONE,
  description: 'hex SHA-256, or `none`: from nothing',
};
const version = text(64);

const release = {
  id: digest,
  name: modelName,
  version,
  sequence: count,
  manifestPath: text(512),
  publishedAt: timeMs,
  publishedBy: text(255),
};

const delta = object({
  from: digestOrNone,
  to: digest,
  state: { enum: DELTA_STATES },
  bytes: orNull(count),
  doneBytes: count,
  totalBytes: count,
  attempts: count,
  reason: orNull(text(2048)),
});

/** @param onAsked a delta was asked for */
export function releaseRoutes(context: RegistryContext, blobs: BlobStore, onAsked: () => void): Route[] {
  return [
    ...sendingRoutes(context, blobs),
    publishRoute(context, blobs),
    ...deltaRoutes(context, onAsked),
    ...readingRoutes(context),
  ];
}

function sendingRoutes(context: RegistryContext, blobs: BlobStore): Route[] {
  const { database } = context;
  return [
    {
      method: 'POST',
      path: '/v1/blobs/missing',
      id: 'missingBlobs',
      summary: 'Which of these blobs have to be sent.',
      access: may('publish'),
      body: object({
        blobs: listOf(digest, MAX_FILES),
        deltas: listOf(object({ from: digestOrNone, to: digest }), MAX_FILES),
      }),
      answers: {
        200: {
          description: 'those that are not here',
          body: object({
            blobs: listOf(digest, MAX_FILES),
            deltas: listOf(object({ from: digestOrNone, to: digest }), MAX_FILES),
          }),
        },
        ...COMMON,
        ...TOO_LARGE,
      },
      async handle({ body }) {
        const asked = body as { blobs: string[]; deltas: { from: string; to: string }[] };
        const missing: { blobs: string[]; deltas: { from: string; to: string }[] } = { blobs: [], deltas: [] };
        for (const sha256 of asked.blobs) if ((await blobs.stat(blobKey(sha256))) === null) missing.blobs.push(sha256);
        for (const pair of asked.deltas) {
          if ((await deltaRow(database, pair.from, pair.to))?.state !== 'ready') missing.deltas.push(pair);
        }
        return ok(missing);
      },
    },
    {
      method: 'PUT',
      path: '/v1/blobs/{sha256}',
      id: 'putBlob',
      summary: 'Stores a file of a release, whole or not at all.',
      access: may('publish'),
      parameters: { sha256: digest },
      body: BYTES,
      answers: { 204: { description: 'it is here', body: null }, ...COMMON, ...TOO_LARGE },
      async handle(call) {
        const { sha256 = '' } = call.path;
        const { bytes, source } = uploadOf(call);
        await blobs.write(blobKey(sha256), source, { bytes, sha256 });
        return { status: 204 };
      },
    },
    {
      method: 'PUT',
      path: '/v1/deltas/{from}/{to}',
      id: 'putDelta',
      summary: 'Stores a delta that the publisher has made; the header x-kerf-sha256 says the hash of its bytes.',
      access: may('publish'),
      parameters: { from: digestOrNone, to: digest },
      headers: { 'x-kerf-sha256': digest },
      body: BYTES,
      answers: { 204: { description: 'it is here', body: null }, ...COMMON, ...CONFLICT, ...TOO_LARGE },
      async handle(call) {
        await takeDelta(context, blobs, call);
        return { status: 204 };
      },
    },
  ];
}

function deltaRoutes(context: RegistryContext, onAsked: () => void): Route[] {
  const { database } = context;
  return [
    {
      method: 'POST',
      path: '/v1/deltas',
      id: 'askDelta',
      summary: 'Asks for a delta between two files of releases to be made.',
      access: may('publish'),
      body: object({ from: digestOrNone, to: digest }),
      answers: { 202: { description: 'how far it is', body: delta }, ...COMMON, ...NOT_FOUND, ...TOO_LARGE },
      async handle({ body }) {
        const { from, to } = body as { from: string; to: string };
        const row = await askDelta(context, from, to);
        onAsked();
        return { status: 202, json: row };
      },
    },
    {
      method: 'GET',
      path: '/v1/deltas/{from}/{to}',
      id: 'getDelta',
      summary: 'How far a delta is.',
      access: reader,
      parameters: { from: digestOrNone, to: digest },
      answers: { 200: { description: 'how far it is', body: delta }, ...COMMON, ...NOT_FOUND },
      async handle({ path: { from = '', to = '' } }) {
        const row = await deltaRow(database, from, to);
        if (row === null) throw new KerfError('NOT_FOUND', 'nobody has asked for this delta');
        return ok(row);
      },
    },
    {
      method: 'GET',
      path: '/v1/routes/{from}/{to}',
      id: 'getRoute',
      summary:
        'The cheapest way from one file to another with the deltas that are there: at most three of them, or the whole file.',
      access: reader,
      parameters: { from: digestOrNone, to: digest },
      answers: {
        200: {
          description: 'the way; without steps, the blob',
          body: object({
            steps: listOf(object({ from: digestOrNone, to: digest, bytes: count }), 3),
            bytes: count,
            wholeBytes: count,
          }),
        },
        ...COMMON,
        ...NOT_FOUND,
      },
      async handle({ path: { from = '', to = '' } }) {
        const file = await knownFile(database, to);
        if (file === null) throw new KerfError('NOT_FOUND', `no release has the file ${to}`);
        const choice = chooseRoute(from, to, file.bytes, await deltasTowards(database, to));
        return ok({ ...choice, wholeBytes: file.bytes });
      },
    },
  ];
}

function publishRoute(context: RegistryContext, blobs: BlobStore): Route {
  const { limits } = context;
  return {
    method: 'POST',
    path: '/v1/publications',
    id: 'publish',
    summary:
      'Signed metadata and manifests, taken together or not at all. Blobs and deltas that they name are sent before.',
    access: may('publish'),
    maxBodyBytes: limits.maxPublicationBytes,
    body: object({
      files: listOf(
        object({ path: text(512), base64: { type: 'string', pattern: '^[A-Za-z0-9+/]*={0,2}$' } }),
        MAX_FILES,
      ),
    }),
    answers: {
      201: {
        description: 'what is new',
        body: object({
          version: count,
          releases: listOf(object({ id: digest, name: modelName, version }), MAX_FILES),
        }),
      },
      ...COMMON,
      ...CONFLICT,
      ...TOO_LARGE,
    },
    async handle({ body, actor }) {
      const { files } = body as { files: SentFile[] };
      return { status: 201, json: await publish(context, blobs, actor, files) };
    },
  };
}

function readingRoutes({ database }: RegistryContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/releases',
      id: 'listReleases',
      summary: 'Releases, in the order of their ids.',
      access: reader,
      query: { ...pageQuery(digest), name: modelName },
      answers: { 200: { description: 'some releases', body: page('releases', object(release)) }, ...COMMON },
      async handle({ query }) {
        const limit = limitOf(query);
        const releases = await listReleases(database, query['name'] ?? null, query['after'] ?? '', limit);
        return ok({ releases, after: afterOf(releases, limit, ({ id }) => id) });
      },
    },
    {
      method: 'GET',
      path: '/v1/releases/{release}',
      id: 'getRelease',
      summary: 'One release with its manifest.',
      access: reader,
      parameters: { release: digest },
      answers: {
        200: { description: 'the release', body: object({ ...release, manifest: { type: 'object' } }) },
        ...COMMON,
        ...NOT_FOUND,
      },
      async handle({ path }) {
        const row = await readRelease(database, path['release'] as string);
        return ok({ ...row, manifest: await readManifest(database, row.id) });
      },
    },
  ];
}

function uploadOf({ upload }: Call): NonNullable<Call['upload']> {
  if (upload === null) throw new KerfError('INTERNAL', 'an upload was expected');
  return upload;
}

/** @throws {KerfError} INVALID_ARGUMENT, DELTA_MALFORMED when it is for other files than the address says. */
async function takeDelta(context: RegistryContext, blobs: BlobStore, call: Call): Promise<void> {
  const { from = '', to = '' } = call.path;
  const sha256 = call.headers['x-kerf-sha256'];
  if (sha256 === undefined) throw new KerfError('INVALID_ARGUMENT', "the header 'x-kerf-sha256' is needed");
  const known = await deltaRow(context.database, from, to);
  if (known?.state === 'ready') return;
  if (known !== null) throw new KerfError('CONFLICT', `this delta is ${known.state} here`);
  const { bytes, source } = uploadOf(call);
  const key = deltaKey(from, to);
  await blobs.write(key, source, { bytes, sha256 });
  try {
    const delta = readerOf(blobs, key, bytes);
    const index = await readDeltaIndex(delta);
    const base = index.base[0]?.sha256 ?? 'none';
    const target = index.target[0];
    if (index.base.length > 1 || index.target.length !== 1 || base !== from || target?.sha256 !== to) {
      throw new KerfError('DELTA_MALFORMED', 'the delta is for other files than the address says');
    }
    const signed = await delta.read(0, signedBytesOf(await delta.read(0, HEADER_BYTES)));
    const indexSha256 = createHash('sha256').update(signed).digest('hex');
    await putDelta(context, { from, to, bytes, totalBytes: target.bytes, indexSha256 });
  } catch (error) {
    await blobs.remove(key);
    throw error;
  }
}

function readerOf(blobs: BlobStore, key: string, byteLength: number): ByteReader {
  return {
    byteLength,
    async read(offset, length) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of blobs.read(key, { start: offset, end: offset + length })) chunks.push(chunk);
      return new Uint8Array(Buffer.concat(chunks));
    },
  };
}
