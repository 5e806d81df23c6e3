// The models claim of a token -> whether it covers a model id.

/**
 * Whether `scope` covers `model`: an entry is a model id, `*` for all, or a prefix that ends in `/*`
 * (`line1/*` covers `line1/top` and `line1/a/b`, not `line1`).
 */
export function coversModel(scope: readonly string[], model: string): boolean {
  return scope.some((entry) => {
    if (entry === '*' || entry === model) return true;
    return entry.endsWith('/*') && model.startsWith(entry.slice(0, -1)) && model.length > entry.length - 1;
  });
}

/** Whether a text may stand in the models claim: a star nowhere but alone or as the last part. */
export function isScopeEntry(entry: unknown): entry is string {
  if (typeof entry !== 'string' || entry === '') return false;
  const star = entry.indexOf('*');
  return star === -1 || entry === '*' || (star === entry.length - 1 && entry.endsWith('/*') && entry.length > 2);
}
