// The `sinks` list of a station file: one shape for each kind of sink.
import { named } from '../config/named.ts';
import { kinds, needed, object, type ValueOf } from '../config/shape.ts';
import { text } from '../config/values.ts';

/** A file with a record a line. */
const jsonLinesShape = object({
  path: needed(text(), 'file that records are added to; relative to the station file'),
});

/** Every kind of sink that a station file can name. */
export const SINK_CONFIG = kinds({ 'json-lines': named(jsonLinesShape, 'json-lines') });

export type SinkConfig = ValueOf<typeof SINK_CONFIG>;
