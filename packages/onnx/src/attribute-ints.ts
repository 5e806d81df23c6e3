// A node and the name of an attribute -> its integers, for whoever must know one; records do not keep them.
import type { Model, NodeRecord } from './model.ts';
import { ReadContext } from './read-context.ts';
import { readInts } from './read-tensor.ts';
import { ATTRIBUTE, NODE } from './schema.ts';
import { FieldReader } from './wire-reader.ts';

/** The integers of an INT or INTS attribute; null when the node has none of the name. */
export function attributeInts(model: Model, node: NodeRecord, name: string): readonly number[] | null {
  const context = new ReadContext(model.bytes);
  const fields = new FieldReader(model.bytes, node.span, () => 'node');
  while (fields.next()) {
    if (fields.field !== NODE.attribute) continue;
    const attribute = new FieldReader(model.bytes, fields.span(), () => 'attribute');
    const ints: number[] = [];
    let found = '';
    while (attribute.next()) {
      if (attribute.field === ATTRIBUTE.name) found = context.name(attribute);
      else if (attribute.field === ATTRIBUTE.i || attribute.field === ATTRIBUTE.ints) {
        readInts(context, attribute, ints);
      }
    }
    if (found === name) return ints;
  }
  return null;
}
