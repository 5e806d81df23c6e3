// Every bound of the wire in one place, each with its unit and its reason.

export interface WireLimits {
  /** Bytes of one message, preamble included. 64 MiB: a 4096x4096x1 float32 activation fits. */
  readonly maxMessageBytes: number;
  /** Bytes of the msgpack header. 1 MiB: 10,000 tensor specs or a resume list fit; it bounds what is parsed. */
  readonly maxHeaderBytes: number;
  /** Nesting of the msgpack header. The deepest legal header has 6 levels: message, tensors, tensor, codec, pixels, scale. */
  readonly maxHeaderDepth: number;
  /**
   * Values in the msgpack header, keys included. 65,536: 256 specs of rank 32 take 10,000. An empty map is one byte on
   * the wire and sixty in memory, so bytes alone would not bound what a header allocates.
   */
  readonly maxHeaderValues: number;
  /** Tensors in one message. A frontier of more tensors is not worth cutting at. */
  readonly maxTensors: number;
  /** Dimensions of one tensor. ONNX Runtime's own kernels stop far below. */
  readonly maxRank: number;
  /** UTF-8 bytes of a tensor name. Exporters write up to a few hundred. */
  readonly maxNameBytes: number;
  /** Bytes of a token: HTTP servers refuse larger headers, so issuers stay below. */
  readonly maxTokenBytes: number;
  /**
   * Bytes of all tensors of a message that come coded, once decoded: a few bytes may stand for many. 256 MiB: four times
   * the largest message, which no activation that is worth coding comes near.
   */
  readonly maxDecodedBytes: number;
  /** Pixels of an encoded image, checked before it is decoded. 64 megapixels: beyond industrial cameras. */
  readonly maxImagePixels: number;
  /**
   * Bytes of filler in a probe, and of the filler that it may ask for. 4 MiB: 67 ms of a link of 500 Mbit/s, enough to
   * time it, and all that a probe of a hundred bytes can make a cloud send.
   */
  readonly maxProbeBytes: number;
}

export const DEFAULT_WIRE_LIMITS: WireLimits = Object.freeze({
  maxMessageBytes: 64 * 1024 * 1024,
  maxHeaderBytes: 1024 * 1024,
  maxHeaderDepth: 8,
  maxHeaderValues: 65_536,
  maxTensors: 256,
  maxRank: 32,
  maxNameBytes: 4096,
  maxTokenBytes: 8192,
  maxDecodedBytes: 256 * 1024 * 1024,
  maxImagePixels: 64 * 1024 * 1024,
  maxProbeBytes: 4 * 1024 * 1024,
});
