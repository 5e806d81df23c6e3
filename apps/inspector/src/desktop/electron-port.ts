// Electron's port in a utility process -> the bridge's. Electron's own types need its module, which such a process lacks.
import type { Port } from '@kerf/bridge';

export interface ParentPort {
  on(event: 'message', listener: (event: { data: unknown; ports: MessagePortMain[] }) => void): void;
  postMessage(value: unknown): void;
}

export interface MessagePortMain {
  postMessage(value: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
  on(event: 'close', listener: () => void): void;
  start(): void;
  close(): void;
}

export function portOf(port: MessagePortMain): Port {
  return {
    postMessage: (value) => port.postMessage(value),
    listen(onMessage, onClose) {
      port.on('message', ({ data }) => onMessage(data));
      port.on('close', onClose);
      port.start();
    },
    close: () => port.close(),
  };
}
