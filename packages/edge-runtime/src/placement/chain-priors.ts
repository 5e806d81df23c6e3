// A chain whose cuts profiles chose -> what they expect of every route: a first guess, until frames have measured it.
import type { ChainManifest } from '@kerf/protocol';
import type { ExpectedRoute } from './cost-book.ts';
import { cutName } from './routes.ts';

/** Empty for a chain that was cut by hand. What crosses is as the chain says: it may have been calibrated since. */
export function chainPriors({ choice, segments }: ChainManifest): Map<string, ExpectedRoute> {
  const nameOf = (at: number): string => (at === 0 ? 'cloud' : at === segments.length ? 'edge' : cutName(at));
  return new Map(
    (choice?.expected ?? []).map((expected, at) => [nameOf(at), { ...expected, encodeMs: 0, uplinkBytes: null }]),
  );
}
