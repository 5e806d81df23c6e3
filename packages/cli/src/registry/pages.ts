// A long list of the registry -> all of it, page by page.
import type { RegistryClient } from '@kerf/registry';

type Page<T> = Readonly<Record<string, readonly T[] | string | null>>;

/** @param target with its query, without `after` and `limit` @param name of the list in the answer */
export async function* pagesOf<T>(client: RegistryClient, target: string, name: string): AsyncGenerator<T, void, void> {
  let after: string | null = null;
  do {
    const query = new URLSearchParams({ limit: '500', ...(after === null ? {} : { after }) });
    const page: Page<T> = await client.json<Page<T>>(
      'GET',
      `${target}${target.includes('?') ? '&' : '?'}${query.toString()}`,
    );
    yield* page[name] as readonly T[];
    after = page['after'] as string | null;
  } while (after !== null);
}

export async function allOf<T>(client: RegistryClient, target: string, name: string): Promise<T[]> {
  const all: T[] = [];
  for await (const item of pagesOf<T>(client, target, name)) all.push(item);
  return all;
}
