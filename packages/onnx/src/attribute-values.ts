// A node and the name of an attribute -> its value, for whoever must know one; records do not keep them.
import type { Model, NodeRecord } from './model.ts';
import { ReadContext } from './read-context.ts';
import { readInts } from './read-tensor.ts';
import { ATTRIBUTE, NODE } from './schema.ts';
import { FieldReader, type Span, WIRE } from './wire-reader.ts';

/** The integers of an INT or INTS attribute; null when the node has none of the name. */
export function attributeInts(model: Model, node: NodeRecord, name: string): readonly number[] | null {
  const span = attributeSpan(model, node, name);
  if (span === null) return null;
  const context = new ReadContext(model.bytes);
  const reader = new FieldReader(model.bytes, span, () => 'attribute');
  const ints: number[] = [];
  while (reader.next()) {
    if (reader.field === ATTRIBUTE.i || reader.field === ATTRIBUTE.ints) readInts(context, reader, ints);
  }
  return ints;
}

/** The numbers of a FLOAT or FLOATS attribute; null when the node has none of the name. */
export function attributeFloats(model: Model, node: NodeRecord, name: string): readonly number[] | null {
  const span = attributeSpan(model, node, name);
  if (span === null) return null;
  const reader = new FieldReader(model.bytes, span, () => 'attribute');
  const view = new DataView(model.bytes.buffer, model.bytes.byteOffset, model.bytes.byteLength);
  const floats: number[] = [];
  while (reader.next()) {
    if (reader.field !== ATTRIBUTE.f && reader.field !== ATTRIBUTE.floats) continue;
    if (reader.wire !== WIRE.fixed32) reader.expect(WIRE.bytes);
    // A packed list that ends within a number is left as it is: the runtime refuses it.
    for (let at = reader.start; at + 4 <= reader.end; at += 4) floats.push(view.getFloat32(at, true));
  }
  return floats;
}

/** The text of a STRING attribute; null when the node has none of the name. */
export function attributeText(model: Model, node: NodeRecord, name: string): string | null {
  const span = attributeSpan(model, node, name);
  if (span === null) return null;
  const reader = new FieldReader(model.bytes, span, () => 'attribute');
  let text = '';
  while (reader.next()) {
    if (reader.field === ATTRIBUTE.s) text = new TextDecoder().decode(model.bytes.subarray(reader.start, reader.end));
  }
  return text;
}

function attributeSpan(model: Model, node: NodeRecord, name: string): Span | null {
  const context = new ReadContext(model.bytes);
  const fields = new FieldReader(model.bytes, node.span, () => 'node');
  while (fields.next()) {
    if (fields.field !== NODE.attribute) continue;
    const span = fields.span();
    const attribute = new FieldReader(model.bytes, span, () => 'attribute');
    while (attribute.next()) {
      if (attribute.field === ATTRIBUTE.name && context.name(attribute) === name) return span;
    }
  }
  return null;
}
