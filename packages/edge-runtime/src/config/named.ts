// A shape of an object -> the same with a `name`, which every source and sink of a station has.
import { object, type Shape, withDefault } from './shape.ts';
import { text } from './values.ts';

/** @param usual the name where the file gives none */
export function named<T extends object>(shape: Shape<T>, usual: string): Shape<T & { readonly name: string }> {
  const name = object({ name: withDefault(text({ mostCharacters: 64 }), usual, 'its name in records and messages') });
  const { properties, ...rest } = shape.schema;
  return {
    schema: { ...rest, properties: { ...(name.schema['properties'] as object), ...(properties as object) } },
    read(value, path) {
      const { name: given, ...others } = value as { readonly name?: unknown };
      return { ...name.read(given === undefined ? {} : { name: given }, path), ...shape.read(others, path) };
    },
  };
}
