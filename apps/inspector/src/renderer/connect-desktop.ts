// The desktop's preload script -> ports to the lines of the station's process.
import { GONE, PORT } from '../desktop/channels.ts';

export interface Desktop {
  readonly lines: number;
  /** Asks for a port to the line of this number; the first is 1. */
  connect(line: number): void;
}

/** One line of the desktop's. */
export interface DesktopLine {
  /** Asks for a port. */
  connect(): void;
  /** @param listener gets a port that was asked for; null when the station's process has ended, and its ports with it */
  onPort(listener: (port: MessagePort | null) => void): void;
}

/** Null where the page came from a station itself. */
export function desktopOf(scope: Window): Desktop | null {
  return (scope as { kerfDesktop?: Desktop }).kerfDesktop ?? null;
}

export function desktopLine(scope: Window, desktop: Desktop, line: number): DesktopLine {
  return {
    connect: () => desktop.connect(line),
    onPort(listener) {
      scope.addEventListener(
        'message',
        ({ source, data, ports: [port] }: MessageEvent<{ kind?: string; line?: number }>) => {
          if (source !== scope) return;
          if (data.kind === PORT && data.line === line && port !== undefined) listener(port);
          else if (data.kind === GONE) listener(null);
        },
      );
    },
  };
}
