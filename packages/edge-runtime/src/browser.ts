// What an edge needs in a browser: the WebSocket transport, the backends, and splits behind a URL.

export type { BrowserBackend, BrowserBackendOptions } from './browser/browser-backend.ts';
export { browserBackend } from './browser/browser-backend.ts';
export type { BrowserConnectOptions } from './browser/browser-connect.ts';
export { browserConnect } from './browser/browser-connect.ts';
export { cameraSource } from './browser/capture/camera-source.ts';
export { pixelsOf } from './browser/capture/frame-pixels.ts';
export type { KeyboardScannerOptions } from './browser/capture/keyboard-scanner.ts';
export { keyboardScanner } from './browser/capture/keyboard-scanner.ts';
export type { CameraMedia, CameraWish } from './browser/capture/watch-camera.ts';
export { watchCamera } from './browser/capture/watch-camera.ts';
export { openIndexedDbDisk } from './browser/indexed-db-disk.ts';
export type { BrowserBackendSpec } from './browser/make-backend.ts';
export { makeBrowserBackend, WASM_FILES } from './browser/make-backend.ts';
export { openOpfsDisk } from './browser/opfs-disk.ts';
export type { Probe } from './browser/self-test.ts';
export type { OpenSplitUrlOptions } from './browser/split-urls.ts';
export { openSplitUrl } from './browser/split-urls.ts';
export { browserPictures } from './browser/station/browser-pictures.ts';
export type { OpenedSplit } from './session/split-files.ts';
