// The `sinks` list of a station file: one shape for each kind of sink.
import { kinds, needed, object, type ValueOf, withDefault } from '../config/shape.ts';
import { text } from '../config/values.ts';

/** A file with a record a line. */
export const JSON_LINES_SINK = object({
  name: withDefault(text({ mostCharacters: 64 }), 'json-lines', 'name of the sink; no two sinks share one'),
  path: needed(text(), 'file that records are added to; relative to the station file'),
});

/** Every kind of sink that a station file can name. */
export const SINK_CONFIG = kinds({ 'json-lines': JSON_LINES_SINK });

export type SinkConfig = ValueOf<typeof SINK_CONFIG>;
export type JsonLinesSinkConfig = ValueOf<typeof JSON_LINES_SINK>;
