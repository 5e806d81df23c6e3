// The bytes of a patch as protocol's ByteSource reads them, with the error that patches have.
import { ByteSource } from '@kerf/protocol';
import { damaged } from '../damaged.ts';

export type { ByteSource } from '@kerf/protocol';
export { ByteSink } from '@kerf/protocol';

/** @throws {KerfError} every read: DELTA_MALFORMED. */
export function patchSource(bytes: Uint8Array): ByteSource {
  return new ByteSource(bytes, damaged);
}
