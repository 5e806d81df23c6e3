// Built segments, each decoded again and compared, -> what the index says of them, and their payloads.
import { KerfError } from '@kerf/protocol';
import { decodeSegment } from '../apply/decode-segment.ts';
import type { ByteReader } from '../byte-reader.ts';
import type { DeltaSegment, FormatVersion } from '../format/patch-index.ts';
import { sha256Hex } from '../hash.ts';
import { sameBytes } from '../same-bytes.ts';
import type { BuiltSegment } from './segment-builder.ts';

export class KeptSegments {
  readonly segments: Omit<DeltaSegment, 'payloadOffset'>[] = [];
  readonly payloads: Uint8Array[] = [];
  version: FormatVersion = 1;
  valueBytes = 0;
  entropyBytes = 0;
  readonly #base: ByteReader;

  constructor(base: ByteReader) {
    this.#base = base;
  }

  get payloadBytes(): number {
    return this.payloads.reduce((sum, payload) => sum + payload.byteLength, 0);
  }

  /** @throws {KerfError} INTERNAL when the segment does not decode to what it was made of. */
  async keep(built: BuiltSegment, kind: DeltaSegment['kind'], bytes: Uint8Array, scratch: Uint8Array): Promise<void> {
    if (!(await this.isRight(built, bytes, scratch))) {
      throw new KerfError('INTERNAL', 'a segment of the delta does not decode to what it was made of');
    }
    const { payload, baseBytes, valueBytes, entropyBytes, version } = built;
    const segment = { kind, bytes: bytes.byteLength, baseBytes, payloadBytes: payload.byteLength };
    this.segments.push({ ...segment, sha256: await sha256Hex(bytes) });
    this.payloads.push(payload);
    if (version > this.version) this.version = version;
    this.valueBytes += valueBytes;
    this.entropyBytes += entropyBytes;
  }

  /** Whether it decodes to `bytes`. @throws {KerfError} DELTA_MALFORMED when it does not decode at all. */
  async isRight({ payload, baseBytes }: BuiltSegment, bytes: Uint8Array, scratch: Uint8Array): Promise<boolean> {
    const decoded = await decodeSegment({ bytes: bytes.byteLength, baseBytes }, payload, this.#base, scratch);
    return sameBytes(decoded, bytes);
  }
}
