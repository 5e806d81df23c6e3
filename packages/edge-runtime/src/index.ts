// A model on this device, in the cloud or cut between both, for Node and browsers. './node' and './browser' have the
// transports and backends of each.

export type { CameraConfig } from './capture/camera-config.ts';
export { cameraShape } from './capture/camera-config.ts';
export type { Capture, Picture } from './capture/capture.ts';
export type { FolderConfig } from './capture/folder-config.ts';
export { folderShape } from './capture/folder-config.ts';
export type { HttpDoorConfig, HttpTriggerConfig, UploadConfig } from './capture/http-config.ts';
export { httpTriggerShape, uploadShape } from './capture/http-config.ts';
export type { SourceSetup } from './capture/options.ts';
export { CAPTURE_BOUNDS } from './capture/options.ts';
export type { ScannerConfig } from './capture/scanner-config.ts';
export { scannerShape } from './capture/scanner-config.ts';
export type { Source, SourceCounters, SourceHandler, SourceState } from './capture/source.ts';
export type { Trigger, TriggerCounters, TriggerRequest } from './capture/trigger.ts';
export type { RtspConfig, VideoConfig } from './capture/video-config.ts';
export { rtspShape, videoShape } from './capture/video-config.ts';
export type { KeepingCause, SourceCause, StationCause, StationWhy } from './cause/station-cause.ts';
export { stationText } from './cause/station-cause.ts';
export type { Exchange, Offset } from './link/clock-offset.ts';
export { ClockOffset } from './link/clock-offset.ts';
export type { CloudTarget } from './link/cloud-link.ts';
export type { MeasureLinkOptions } from './link/measure-link.ts';
export { measureLink } from './link/measure-link.ts';
export type { CloudAddress } from './link/reach-cloud.ts';
export type { ChannelPicture, ChannelPictures } from './look/channel-pictures.ts';
export { channelPictures } from './look/channel-pictures.ts';
export type { Way, WayName } from './look/way.ts';
export type { Disk } from './outbox/disk.ts';
export { memoryDisk } from './outbox/memory-disk.ts';
export type { OutboxOptions } from './outbox/options.ts';
export { resolveOutboxOptions } from './outbox/options.ts';
export type { OutboxConfig } from './outbox/outbox.ts';
export { Outbox } from './outbox/outbox.ts';
export type {
  OutboxEvent,
  OutboxListener,
  OutboxSinkSnapshot,
  OutboxSnapshot,
  PutExtras,
  Unsettled,
} from './outbox/outbox-types.ts';
export type { StageCounters, StagePolicy } from './pipeline/stage.ts';
export type { ChainFileSource, ChainLoading, OpenedChain } from './placement/chain-files.ts';
export { loadChain } from './placement/chain-files.ts';
export type { CutCoding } from './placement/chain-parts.ts';
export type { SwitchCause } from './placement/controller.ts';
export type { RoutePrior } from './placement/cost-book.ts';
export type { Estimate } from './placement/estimate.ts';
export type { PlacementOptions } from './placement/options.ts';
export { DEFAULT_PLACEMENT, resolvePlacementOptions } from './placement/options.ts';
export type {
  Assignment,
  Moment,
  PilotSetup,
  PlacementEstimates,
  RouteOutcome,
  RouteSwitch,
} from './placement/pilot.ts';
export { Pilot } from './placement/pilot.ts';
export type { CascadePolicy, PlacedOutcome, PlacedSessionConfig, PlacedSnapshot } from './placement/placed-session.ts';
export { PlacedSession } from './placement/placed-session.ts';
export { planPriors } from './placement/plan-priors.ts';
export type { SwitchReason, TimePart } from './placement/reasons.ts';
export type { Route, RouteConstraints, RouteKind, RouteRefusal, RouteSetup } from './placement/routes.ts';
export { refusalText, routesOf } from './placement/routes.ts';
export type { PlcConfig } from './plc/plc-config.ts';
export { plcShape } from './plc/plc-config.ts';
export type { RecordConfig } from './recording/record-config.ts';
export type { SessionHead, SessionPart, SessionSettings } from './recording/session-content.ts';
export { SESSION_FORMAT, verdictText } from './recording/session-content.ts';
export type { Embedding } from './samples/embedding.ts';
export { embeddingOf, likenessOf } from './samples/embedding.ts';
export type { ExportedFile, ExportFormat, LabelledSample } from './samples/export-samples.ts';
export { EXPORT_FORMATS, exportSamples } from './samples/export-samples.ts';
export type { KeepReason } from './samples/keep-reasons.ts';
export { keepReasons } from './samples/keep-reasons.ts';
export { maskBoxes } from './samples/mask-boxes.ts';
export type { SamplesConfig } from './samples/sample-config.ts';
export { samplesShape } from './samples/sample-config.ts';
export type { SampleLabel } from './samples/sample-labels.ts';
export { sampleLabels } from './samples/sample-labels.ts';
export type { DeviceModels } from './session/device-plan.ts';
export type { CloudState, EdgeSessionConfig, InferOptions, SessionSnapshot } from './session/edge-session.ts';
export { EdgeSession } from './session/edge-session.ts';
export type { EncodedImage, FrameInput, FrameInputs } from './session/inputs.ts';
export type { EdgeSessionOptions } from './session/options.ts';
export { resolveEdgeSessionOptions } from './session/options.ts';
export type { FrameFailure, FrameResult, FrameSpans, Outcome } from './session/outcome.ts';
export type { SessionStatus, StatusListener } from './session/status.ts';
export type { ImageFolderConfig } from './sinks/image-folder-config.ts';
export { imageFolderShape } from './sinks/image-folder-config.ts';
export type { JsonLinesConfig } from './sinks/json-lines-config.ts';
export { jsonLinesShape } from './sinks/json-lines-config.ts';
export { recordKey } from './sinks/known-records.ts';
export type { MqttConfig } from './sinks/mqtt-config.ts';
export { mqttShape } from './sinks/mqtt-config.ts';
export type { SinkSetup } from './sinks/options.ts';
export { SINK_BOUNDS } from './sinks/options.ts';
export { drawOverlay } from './sinks/overlay.ts';
export type { DeliveredPicture, Delivery, OfferedPicture, Sink } from './sinks/sink.ts';
export type { WebhookConfig } from './sinks/webhook-config.ts';
export { webhookShape } from './sinks/webhook-config.ts';
export { webhookSink } from './sinks/webhook-sink.ts';
export type { Judges } from './station/answer.ts';
export type { InputFit, PictureFit } from './station/fit-picture.ts';
export { areaOf, fitPicture, PADDING, PICTURE_FITS } from './station/fit-picture.ts';
export type { CascadeBand, SmallModel } from './station/infer-frame.ts';
export type { Inferer, MainModel } from './station/inferer.ts';
export { mainModel } from './station/inferer.ts';
export { boxReader } from './station/judge/detector.ts';
export type { Judge, Task } from './station/judge/judge.ts';
export { makeJudge } from './station/judge/judge.ts';
export type { Judgement, PictureGeometry } from './station/judge/judgement.ts';
export type { StageName } from './station/line.ts';
export type { PictureCodec, PictureCoding } from './station/picture-codec.ts';
export type { PictureOptions, PictureRule, PictureWords } from './station/picture-rule.ts';
export { PLAIN_PICTURES, pictureRule } from './station/picture-rule.ts';
export type { Pictures, ShownPicture, ShownSize } from './station/pictures.ts';
export { picturesWith } from './station/pictures-with.ts';
export type { CodedImage, PlainInputs, PreparedInputs, PreparedPicture } from './station/prepare-picture.ts';
export type { Reading } from './station/reading.ts';
export type { ReadingRules, WantedInputs } from './station/reading-rules.ts';
export type {
  Reason,
  ReasonDetail,
  ResultBox,
  ResultMask,
  ResultRecord,
  ResultSpan,
  Verdict,
} from './station/result-record.ts';
export { RESULT_FORMAT } from './station/result-record.ts';
export type { ResultStore } from './station/result-store.ts';
export type { StationEvent, StationParts, StationSnapshot } from './station/station.ts';
export { Station } from './station/station.ts';
export type { StationConfig } from './station/station-file.ts';
export { parseStationConfig, STATION_FORMAT, STATION_SCHEMA } from './station/station-file.ts';
