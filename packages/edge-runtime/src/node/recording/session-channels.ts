// Topics, schemas and names of a session's MCAP file.

export const PROFILE = 'kerf';
/** Name of the metadata record that comes first. */
export const HEAD = 'kerf.session';

export const TOPICS = {
  settings: '/kerf/settings',
  /** Foxglove's schema, so that its viewer shows them; `frame_id` is the result's id. */
  pictures: '/kerf/pictures',
  results: '/kerf/results',
} as const;

const text = (schema: object): Uint8Array => new TextEncoder().encode(JSON.stringify(schema));

export const SCHEMAS = {
  [TOPICS.settings]: { name: 'kerf.Settings', data: text({ type: 'object' }) },
  [TOPICS.pictures]: {
    name: 'foxglove.CompressedImage',
    data: text({
      title: 'foxglove.CompressedImage',
      type: 'object',
      properties: {
        timestamp: { type: 'object', properties: { sec: { type: 'integer' }, nsec: { type: 'integer' } } },
        frame_id: { type: 'string' },
        data: { type: 'string', contentEncoding: 'base64' },
        format: { type: 'string' },
      },
    }),
  },
  [TOPICS.results]: { name: 'kerf.Result', data: text({ type: 'object' }) },
} as const;

export interface PictureMessage {
  readonly timestamp: { readonly sec: number; readonly nsec: number };
  readonly frame_id: string;
  readonly data: string;
  readonly format: 'png' | 'jpeg' | 'webp';
}
