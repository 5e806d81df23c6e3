// A model on this device, in the cloud or cut between both, for Node and browsers. './node' and './browser' have the
// transports and backends of each.

export type { CloudTarget } from './link/cloud-link.ts';
export type { MeasureLinkOptions } from './link/measure-link.ts';
export { measureLink } from './link/measure-link.ts';
export type { CloudAddress } from './link/reach-cloud.ts';
export type { DeviceModels } from './session/device-plan.ts';
export type { CloudState, EdgeSessionConfig, InferOptions, SessionSnapshot } from './session/edge-session.ts';
export { EdgeSession } from './session/edge-session.ts';
export type { EncodedImage, FrameInput, FrameInputs } from './session/inputs.ts';
export type { EdgeSessionOptions } from './session/options.ts';
export { resolveEdgeSessionOptions } from './session/options.ts';
export type { FrameFailure, FrameResult, FrameSpans, Outcome } from './session/outcome.ts';
export type { SessionStatus, StatusListener } from './session/status.ts';
