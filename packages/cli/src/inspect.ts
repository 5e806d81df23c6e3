// What the desktop app needs of the command line package: a station's service, and the demo line.

export type { DemoLine } from './inspect/demo-line.ts';
export { prepareDemoLine } from './inspect/demo-line.ts';
export type { OpenedLine } from './inspect/open-lines.ts';
export { closeLines, openLines } from './inspect/open-lines.ts';
export type { InspectorAddress, ServedInspector, ServeInspectorOptions } from './inspect/serve-inspector.ts';
export { serveInspector } from './inspect/serve-inspector.ts';
export type { Refusal } from './refusal.ts';
