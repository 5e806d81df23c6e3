// The seam to the network: an ordered, reliable, full-duplex channel of whole binary messages.

/** Why a transport ended. */
export interface TransportClose {
  /** WebSocket close code; 1006 when the peer vanished. */
  readonly code: number;
  readonly reason: string;
}

export interface TransportHandler {
  /** One whole message. The bytes belong to the receiver. Never called after `onClose`. */
  onMessage(message: Uint8Array): void;
  /** Called exactly once, also when this side closed. */
  onClose(close: TransportClose): void;
}

/** A connected channel. Messages arrive whole, in order, at most once. */
export interface Transport {
  /** Sets the handler, once. Messages that came before are delivered first, in order. */
  start(handler: TransportHandler): void;
  /** Queues one message; does nothing once the transport is closed. The bytes must not be changed afterwards. */
  send(message: Uint8Array): void;
  /** Bytes queued here and not yet given to the network. */
  readonly bufferedBytes: number;
  /** Bytes that have come, those of a message that is not whole yet among them; not there where that cannot be seen. */
  readonly receivedBytes?: number | undefined;
  /** Ends the channel; queued messages are still delivered where the network allows. */
  close(code: number, reason: string): void;
}

/** Makes a connection. @throws {KerfError} LINK_LOST, TLS_UNTRUSTED. */
export type Connect = (signal: AbortSignal) => Promise<Transport>;
