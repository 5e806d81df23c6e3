// What everyone may ask of releases.
import type { RegistryContext } from '../context.ts';
import { ok, type Route, reader } from '../http/route.ts';
import { count, digest, modelName, NOT_FOUND, object, text, timeMs } from '../http/shapes.ts';
import { listReleases, readManifest, readRelease } from '../releases/releases.ts';
import { COMMON } from './common-answers.ts';
import { afterOf, limitOf, page, pageQuery } from './paging.ts';

const release = {
  id: digest,
  name: modelName,
  version: text(64),
  sequence: count,
  manifestPath: text(512),
  publishedAt: timeMs,
  publishedBy: text(255),
};

export function releaseRoutes({ database }: RegistryContext): Route[] {
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
