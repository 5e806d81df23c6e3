// A JSON value -> all its keys at every level, to be held against what docs/cli.md documents.

/** @param data keys whose own keys are names of a model, versions or counts: they are not looked into. */
export function keysOf(value: unknown, data: ReadonlySet<string>, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const entry of value) keysOf(entry, data, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, entry] of Object.entries(value)) {
      found.add(key);
      if (!data.has(key)) keysOf(entry, data, found);
    }
  }
  return found;
}
