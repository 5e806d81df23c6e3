// What an edge needs in Node: the WebSocket transport, the backends, and split folders.

export { authorityFile, authorityText } from './node/authority-file.ts';
export { folderSource } from './node/capture/folder-source.ts';
export { httpTrigger } from './node/capture/http-trigger.ts';
export type { MediaHost, WantedCamera, WantedStream } from './node/capture/media-host.ts';
export { rtspSource } from './node/capture/rtsp-source.ts';
export { serialScanner } from './node/capture/serial-scanner.ts';
export { uploadSource } from './node/capture/upload-source.ts';
export { videoSource } from './node/capture/video-source.ts';
export type { OpenChainFolderOptions } from './node/chain-folder.ts';
export { openChainFolder } from './node/chain-folder.ts';
export { openFolderDisk } from './node/folder-disk.ts';
export { HttpDoor } from './node/http/http-door.ts';
export { compareWays } from './node/look/compare-ways.ts';
export type { Head } from './node/look/open-head.ts';
export { openHead } from './node/look/open-head.ts';
export type { NodeBackendSpec } from './node/make-backend.ts';
export type { PlcDoorOptions } from './node/modbus/plc-door.ts';
export { modbusSink, modbusTrigger, PlcDoor } from './node/modbus/plc-door.ts';
export type { NodeBackendOptions } from './node/node-backend.ts';
export { nodeBackend } from './node/node-backend.ts';
export { encodedOriginal } from './node/picture/encoded-original.ts';
export {
  decodePicture,
  encodeJpeg,
  encodeLosslessWebp,
  encodePng,
  encodeWebp,
  readPicture,
  resizePicture,
} from './node/picture/picture-file.ts';
export type {
  ReplayedPart,
  ReplayOptions,
  ReplayReport,
  SkipReason,
} from './node/recording/replay-session.ts';
export { replaySession } from './node/recording/replay-session.ts';
export type { SessionEntry } from './node/recording/session-file.ts';
export { SessionFile } from './node/recording/session-file.ts';
export { SessionWriter } from './node/recording/session-writer.ts';
export type { RecorderState } from './node/recording/station-recorder.ts';
export { listSessions, SESSION_ENDING, StationRecorder } from './node/recording/station-recorder.ts';
export type { H264Listener, VideoUnit } from './node/rtsp/h264-units.ts';
export { watchRtsp } from './node/rtsp/watch-rtsp.ts';
export type { Sample, SampleMark } from './node/samples/sample-file.ts';
export { sampleFormat } from './node/samples/sample-file.ts';
export type { SampleCounters } from './node/samples/sample-keeper.ts';
export { MAX_SAMPLES, SampleStore } from './node/samples/sample-store.ts';
export { imageFolderSink } from './node/sinks/image-folder-sink.ts';
export { jsonLinesSink } from './node/sinks/json-lines-sink.ts';
export { mqttSink } from './node/sinks/mqtt-sink.ts';
export type { OpenSplitOptions } from './node/split-folder.ts';
export { openSplitFolder } from './node/split-folder.ts';
export { checkStation } from './node/station/check-station.ts';
export type { StationPlacement } from './node/station/open-models.ts';
export type { StationSamples } from './node/station/open-samples.ts';
export type { OpenedStation, OpenStationOptions } from './node/station/open-station.ts';
export { openStation } from './node/station/open-station.ts';
export type { PartAnswer, PartJudge } from './node/station/part-judge.ts';
export { openPartJudge } from './node/station/part-judge.ts';
export type { StationFile } from './node/station/read-station-file.ts';
export { readStationFile } from './node/station/read-station-file.ts';
export type { StatusDoor } from './node/station/status-door.ts';
export { openStatusDoor } from './node/station/status-door.ts';
export { watchFile } from './node/station/watch-file.ts';
export { writeWhole } from './node/write-whole.ts';
export type { WsConnectOptions } from './node/ws-connect.ts';
export { wsConnect } from './node/ws-connect.ts';
export { wsTransport } from './node/ws-transport.ts';
export type { OpenedSplit } from './session/split-files.ts';
