// The Inspector's bridge: what crosses between its screens and a station. Values first, then types.

export type { CauseView } from './cause-view.ts';
export { causeView } from './cause-view.ts';
export type {
  ActingCall,
  BridgeState,
  Caller,
  CallName,
  CallParams,
  CallResults,
  InspectorBridge,
  InspectorService,
  MakePreview,
  TopicName,
  Topics,
} from './contract.ts';
export { BRIDGE_SUBPROTOCOL, BRIDGE_VERSION, CALLS, MAX_PAGE, TOPICS } from './contract.ts';
export { CUT_RANGES } from './cut-calls.ts';
export type * from './cut-views.ts';
export { MAX_ENVELOPE_BYTES } from './envelope.ts';
export type { FaultView } from './fault-view.ts';
export { faultView } from './fault-view.ts';
export type * from './health-views.ts';
export type { PreviewSize } from './live-pace.ts';
export type { OpenBridgeOptions } from './open-bridge.ts';
export { openBridge } from './open-bridge.ts';
export type { Port, PortTransport } from './port-transport.ts';
export { portTransport } from './port-transport.ts';
export { relayBridge } from './relay-bridge.ts';
export { MAX_SAMPLE_PAGE } from './samples-calls.ts';
export type * from './samples-views.ts';
export { serveBridge } from './serve-bridge.ts';
export { MAX_PAIRS } from './sessions-calls.ts';
export type * from './sessions-views.ts';
export { shareBridge, sharedBridge } from './shared-bridge.ts';
export type { UpdatesResults } from './updates-calls.ts';
export type * from './updates-views.ts';
export { ROLLOUT_ACTIONS } from './updates-views.ts';
export type * from './views.ts';
export { mayAct, ROLES } from './views.ts';
export type * from './why-views.ts';
export { withoutFolders } from './without-folders.ts';
