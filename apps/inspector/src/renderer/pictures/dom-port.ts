// A browser's message port -> the bridge's.
import type { Port } from '@kerf/bridge';

export function domPort(port: MessagePort): Port {
  return {
    postMessage: (value) => port.postMessage(value),
    // That the other end is gone is not told by every browser: whoever handed the port says so.
    listen: (onMessage) => {
      port.onmessage = ({ data }) => onMessage(data);
    },
    close: () => port.close(),
  };
}
