// What publishers send: blobs and deltas first, then signed metadata that names them.
import { KerfError } from '@kerf/protocol';
import { type BlobStore, blobKey } from '../blobs/blob-store.ts';
import type { RegistryContext } from '../context.ts';
import { deltaRow } from '../deltas/delta-rows.ts';
import { takeDelta } from '../deltas/take-delta.ts';
import { BYTES, type Call, may, ok, type Route } from '../http/route.ts';
import { CONFLICT, count, digest, listOf, modelName, object, TOO_LARGE, text } from '../http/shapes.ts';
import type { SentFile } from '../releases/publication.ts';
import { publish } from '../releases/publish.ts';
import { COMMON, digestOrNone } from './common-answers.ts';

const MAX_FILES = 2000;

export function publishingRoutes(context: RegistryContext, blobs: BlobStore): Route[] {
  return [...sendingRoutes(context, blobs), publishRoute(context, blobs)];
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
        const { from = '', to = '' } = call.path;
        const sha256 = call.headers['x-kerf-sha256'];
        if (sha256 === undefined) throw new KerfError('INVALID_ARGUMENT', "the header 'x-kerf-sha256' is needed");
        await takeDelta(context, blobs, { from, to, sha256, ...uploadOf(call) });
        return { status: 204 };
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
          releases: listOf(object({ id: digest, name: modelName, version: text(64) }), MAX_FILES),
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

function uploadOf({ upload }: Call): NonNullable<Call['upload']> {
  if (upload === null) throw new KerfError('INTERNAL', 'an upload was expected');
  return upload;
}
