// What happens in the cloud -> plain records for whoever keeps logs. Never a token, a payload or a secret.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One event: `event` names it, the rest is plain data. */
export interface LogEvent {
  readonly level: LogLevel;
  readonly event: string;
  readonly [field: string]: string | number | boolean | null | readonly string[];
}

export type Log = (event: LogEvent) => void;

/** A log whose own failure never reaches the one that reports. */
export function guardedLog(log: Log): Log {
  return (event) => {
    try {
      log(event);
    } catch {
      // Nothing to report it to.
    }
  };
}
