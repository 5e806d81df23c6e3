// A WebSocket that the server accepted -> a Transport that can also be cut off.
import type { Writable } from 'node:stream';
import { type Transport, type TransportHandler, webSocketFrame } from '@kerf/protocol';
import type { WebSocket } from 'ws';

export interface LinkTransport extends Transport {
  /** `onSent` is called once the bytes are no longer needed. */
  send(message: Uint8Array, onSent?: () => void): void;
  /** Ends the connection without waiting for the peer. */
  terminate(): void;
}

/** How long a peer may take to answer a closing handshake; one that only reads slowly loses what is left. */
const CLOSE_PATIENCE_MS = 3000;
/** RFC 6455, 5.5: a control frame holds 125 bytes, two of them the code. */
const MAX_REASON_BYTES = 123;

/** @param connection what the socket sends through. */
export function socketTransport(socket: WebSocket, connection: Writable, onTooLarge: () => void): LinkTransport {
  let handler: TransportHandler | null = null;
  let isTooLarge = false;
  socket.binaryType = 'nodebuffer';
  // The server asks for a handler in the same turn in which the socket opens: nothing arrives before.
  socket.on('message', (data, isBinary) => {
    if (!isBinary) socket.close(1003, 'binary messages only');
    else if (socket.readyState === socket.OPEN) handler?.onMessage(data as Buffer);
  });
  socket.on('close', (code, reason) => handler?.onClose({ code, reason: reason.toString('utf8') }));
  socket.on('error', (error) => {
    // ws has sent its close frame by now; what is left is to tell the log.
    isTooLarge ||= 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    if (isTooLarge) onTooLarge();
    abandonLater(socket);
  });
  return {
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    start(given) {
      handler = given;
    },
    send(message, onSent) {
      if (socket.readyState !== socket.OPEN) {
        onSent?.();
        return;
      }
      const pieces = webSocketFrame(message, false);
      const last = pieces.length - 1;
      for (const [at, piece] of pieces.entries()) connection.write(piece, at === last ? () => onSent?.() : undefined);
    },
    close(code, reason) {
      if (socket.readyState !== socket.OPEN) return;
      socket.close(code, clipped(reason));
      abandonLater(socket);
    },
    terminate: () => socket.terminate(),
  };
}

function abandonLater(socket: WebSocket): void {
  const timer = setTimeout(() => socket.terminate(), CLOSE_PATIENCE_MS);
  socket.once('close', () => clearTimeout(timer));
}

function clipped(reason: string): string {
  let text = reason.slice(0, MAX_REASON_BYTES);
  while (Buffer.byteLength(text) > MAX_REASON_BYTES) text = text.slice(0, -1);
  return text;
}
