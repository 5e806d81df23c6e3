// The desktop's preload script -> ports to the station's process.
import { GONE, PORT } from '../desktop/channels.ts';

export interface Desktop {
  /** Asks for a port. */
  connect(): void;
}

export function desktopOf(scope: Window): Desktop | null {
  return (scope as { kerfDesktop?: Desktop }).kerfDesktop ?? null;
}

/** @param onPort a port that was asked for; null when the station's process has ended, and its ports with it */
export function onDesktopPort(scope: Window, onPort: (port: MessagePort | null) => void): void {
  scope.addEventListener('message', (event) => {
    if (event.source !== scope) return;
    const [port] = event.ports;
    if (event.data === PORT && port !== undefined) onPort(port);
    else if (event.data === GONE) onPort(null);
  });
}
