// A model that was read -> what its maker noted in it, by key.
import type { Model } from './model.ts';
import { ENTRY, MODEL } from './schema.ts';
import { FieldReader, type Span } from './wire-reader.ts';

/** `metadata_props`. Of a key that occurs again the last value counts. @throws {KerfError} MODEL_MALFORMED. */
export function metadataOf(model: Model): Map<string, string> {
  const found = new Map<string, string>();
  for (const span of model.otherFields) {
    const fields = new FieldReader(model.bytes, span, () => 'metadata');
    while (fields.next()) if (fields.field === MODEL.metadataProps) found.set(...entryOf(model.bytes, fields.span()));
  }
  return found;
}

/** Any text: a list of characters or a whole configuration may stand there, of no use to kerf. */
function entryOf(bytes: Uint8Array, span: Span): [key: string, value: string] {
  const text = ({ start, end }: Span): string => new TextDecoder('utf-8').decode(bytes.subarray(start, end));
  const entry = new FieldReader(bytes, span, () => 'metadata');
  let key = '';
  let value = '';
  while (entry.next()) {
    if (entry.field === ENTRY.key) key = text(entry.span());
    else if (entry.field === ENTRY.value) value = text(entry.span());
  }
  return [key, value];
}
