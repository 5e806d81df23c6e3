// The contract that every part of kerf shares. Values first, then types.

export type { Tolerance } from './agreement.ts';
export { disagreement, meanDistance } from './agreement.ts';
export type { Backend, ExternalData, LoadedModel, LoadOptions, ModelSource, OptimizationLevel } from './backend.ts';
export { browserTransport } from './browser-transport.ts';
export type { ChainNames, DivisionNames } from './chain-division.ts';
export { divisionNames } from './chain-division.ts';
export { chainHash, chainPair, segmentId, sourceIdentity } from './chain-hash.ts';
export type {
  ChainChoice,
  ChainCut,
  ChainExpectation,
  ChainLoss,
  ChainManifest,
  ChainReign,
  ChainSegment,
} from './chain-manifest.ts';
export { CHAIN_FORMAT, chainTableFiles, MAX_CHAIN_SEGMENTS, parseChainManifest } from './chain-manifest.ts';
export type { Clock, Random } from './clock.ts';
export { systemClock } from './clock.ts';
export { decodeActivation, encodeActivation } from './codec/activation.ts';
export type {
  ActivationCodec,
  CodedPayloadCodec,
  CodedTensor,
  EncodedActivation,
  EncodeOptions,
} from './codec/activation-codec.ts';
export { CODEC_VERSION } from './codec/activation-codec.ts';
export { ByteSink, ByteSource } from './codec/byte-sink.ts';
export { float16Bits, float16Value } from './codec/float16.ts';
export type { LevelSample } from './codec/level-priors.ts';
export { learnPriors, type PriorOptions } from './codec/level-priors.ts';
export type { GoldenLevels, LevelChannel, LevelPriors, LevelTable, RestoredChannel } from './codec/level-table.ts';
export { checkLevelTable, MAX_LEVEL_CHANNELS, MAX_LEVELS, MAX_SOURCES } from './codec/level-table.ts';
export { readLevelTable, writeLevelTable } from './codec/level-table-bytes.ts';
export { reconstructLevels } from './codec/level-values.ts';
export type { LevelLayout } from './codec/levels.ts';
export { levelLayout, quantiseLevels } from './codec/levels.ts';
export { encodeLevels } from './codec/levels-codec.ts';
export type { WarmUp } from './codec/warm-up.ts';
export { warmUpLevels } from './codec/warm-up.ts';
export { decodeMessage } from './decode.ts';
export { isDiskFull } from './disk-full.ts';
export type { EncodedHead } from './encode.ts';
export { encodeHead, encodeMessage, withPayloads } from './encode.ts';
export { type ErrorWhy, errorWithWhy, whyOfError } from './error-why.ts';
export type { ErrorCode, ErrorInfo, KerfErrorOptions } from './errors.ts';
export { ERROR_CODES, errorCodeOfWire, KerfError, messageOf } from './errors.ts';
export { fillerBytes } from './filler.ts';
export type { ImageFormat, ImageSize } from './image-header.ts';
export { declaredImageSize, imageSizeInHeader } from './image-header.ts';
export type { ImagePixels, RgbImage } from './image-input.ts';
export { imageSizeOf, imageTensorShape, imageToTensor } from './image-input.ts';
export type { WireLimits } from './limits.ts';
export { DEFAULT_WIRE_LIMITS } from './limits.ts';
export { lookAgain } from './look-again.ts';
export { isLoopback } from './loopback.ts';
export type { ManifestFile, SplitTensor } from './manifest-fields.ts';
export type { MemoryLink } from './memory-transport.ts';
export { memoryLink } from './memory-transport.ts';
export type {
  Cancel,
  Close,
  CloudSpans,
  Credit,
  Fault,
  Frame,
  GoAway,
  Hello,
  Message,
  MessageType,
  Open,
  Opened,
  Payload,
  PayloadCodec,
  Ping,
  Pong,
  Probe,
  Probed,
  Result,
  Welcome,
} from './messages.ts';
export { MESSAGE_TYPES, PROTOCOL_VERSION, SUBPROTOCOL } from './messages.ts';
export { fileNamePart, PLAIN_NAME } from './names.ts';
export { nearestNames } from './nearest-names.ts';
export type { OrtBackendOptions, OrtModule } from './ort-backend.ts';
export { ortBackend } from './ort-backend.ts';
export { parseUrl } from './parse-url.ts';
export { seededRandom } from './random.ts';
export type { LinkState, Role, SessionState, Verdict } from './session-state.ts';
export { judgeMessage, sessionOf } from './session-state.ts';
export { sha256Hex } from './sha256.ts';
export type { FinishedSpan, PostTraces, SpanAttribute, SpanExporterOptions } from './span-exporter.ts';
export { SpanExporter } from './span-exporter.ts';
export type { CodecCalibration, SplitCodec, TensorCodec } from './split-codec.ts';
export { tableFilesOf } from './split-codec.ts';
export type { SplitManifest, SplitPart } from './split-manifest.ts';
export { parseSplitManifest, SPLIT_FORMAT } from './split-manifest.ts';
export { startedFile } from './started-file.ts';
export type { Dimension, DType, NumericDType, Tensor, TensorMap, TensorSpec, TypedView } from './tensor.ts';
export {
  byteLengthOf,
  bytesOf,
  checkTensor,
  checkTensors,
  DTYPE_BITS,
  decodeStrings,
  describeTensor,
  elementCount,
  float32Tensor,
  isDType,
  makeTensor,
  stringTensor,
  typedView,
} from './tensor.ts';
export type { TraceContext } from './trace-context.ts';
export { formatTraceparent, parseTraceparent, startTrace } from './trace-context.ts';
export type { Connect, Transport, TransportClose, TransportHandler } from './transport.ts';
export { untilAborted } from './until-aborted.ts';
export type { CertificateCause } from './untrusted.ts';
export { certificateText, untrustedError } from './untrusted.ts';
export { webSocketFrame } from './web-socket-frame.ts';
export { checkWholeImage } from './whole-image.ts';
