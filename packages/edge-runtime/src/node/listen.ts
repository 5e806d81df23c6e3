// "host:port" of a station file -> a server that listens there.
import type { Server } from 'node:net';
import { KerfError } from '@kerf/protocol';

/** @throws {KerfError} INVALID_ARGUMENT. */
export function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]*)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `'${text}' is not an address with a port, such as 127.0.0.1:8090 or [::1]:8090`,
    );
  }
  const host = parts[1] ?? parts[2] ?? '';
  return { host: host === '' ? '0.0.0.0' : host, port };
}

/** The port that was taken. @throws {KerfError} INVALID_ARGUMENT when it cannot be used. */
export function listening(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hint = error.code === 'EACCES' ? '; ports below 1024 need a privilege' : '';
      const message = `cannot listen on ${host}:${port}: ${error.code ?? error.message}${hint}`;
      reject(new KerfError('INVALID_ARGUMENT', message, { cause: error }));
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
