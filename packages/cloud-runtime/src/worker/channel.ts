// Headers (plain data) and bodies (bytes) <-> the byte stream and the shared memory between gateway and worker.
import type { Duplex } from 'node:stream';
import { readSpool, type SpoolWriter } from './spool.ts';

/** What arrives at one end. */
export interface ChannelHandler<In> {
  /** `body` may be overwritten once this returns, unless `bodyBuffer` gave a buffer of its own. */
  onMessage(header: In, body: Uint8Array): void;
  /** Once: the peer is gone or speaks nonsense. */
  onClose(): void;
}

/** The seam between gateway and worker: whole messages, in order, at most once. */
export interface WorkerChannel<Out> {
  send(header: Out, body: readonly Uint8Array[]): void;
  /** Gives back memory that only traffic needs. */
  trim(): void;
  close(): void;
}

export interface ChannelOptions<In> {
  readonly stream: Duplex;
  /** Where this end lays bodies; null: bodies go through the stream. */
  readonly spoolOut: SpoolWriter | null;
  /** File descriptor of the peer's spool. */
  readonly spoolInFd: number | null;
  /** Where an arriving body is put: exactly `bytes` long. */
  readonly bodyBuffer: (bytes: number) => Uint8Array;
  readonly handler: ChannelHandler<In>;
}

/**
 * Preamble of a message on the stream, little-endian: u32 header bytes, u32 body bytes, f64 count of spooled bodies this
 * end has read so far, f64 offset of the body in the sender's spool (-1: the body follows the header).
 */
const PREAMBLE_BYTES = 24;
/** A header lists tensors of a batch; names are bounded by the wire's limits. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024;
/** Below this a body follows its header in the same write, which is cheaper than two more system calls. */
const INLINE_BYTES = 16 * 1024;

export function openChannel<In, Out>(options: ChannelOptions<In>): WorkerChannel<Out> {
  return new StreamChannel<In, Out>(options);
}

interface Incoming {
  readonly header: Buffer;
  readonly bodyBytes: number;
  readonly spoolOffset: number;
  body: Uint8Array | null;
}

class StreamChannel<In, Out> implements WorkerChannel<Out> {
  readonly #options: ChannelOptions<In>;
  readonly #preamble = Buffer.alloc(PREAMBLE_BYTES);
  #preambleAt = 0;
  #incoming: Incoming | null = null;
  #at = 0;
  #readFromSpool = 0;
  #closed = false;

  constructor(options: ChannelOptions<In>) {
    this.#options = options;
    const { stream } = options;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', () => this.#end());
    stream.on('close', () => this.#end());
    stream.on('end', () => this.#end());
  }

  send(header: Out, body: readonly Uint8Array[]): void {
    if (this.#closed) return;
    const { stream, spoolOut } = this.#options;
    const text = Buffer.from(JSON.stringify(header), 'utf8');
    const bodyBytes = body.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    const offset = bodyBytes < INLINE_BYTES ? null : (spoolOut?.write(body, bodyBytes) ?? null);
    const head = Buffer.allocUnsafe(PREAMBLE_BYTES);
    head.writeUInt32LE(text.byteLength, 0);
    head.writeUInt32LE(bodyBytes, 4);
    head.writeDoubleLE(this.#readFromSpool, 8);
    head.writeDoubleLE(offset ?? -1, 16);
    stream.cork();
    stream.write(head);
    stream.write(text);
    if (offset === null) for (const chunk of body) stream.write(chunk);
    stream.uncork();
  }

  trim(): void {
    this.#options.spoolOut?.trim();
  }

  close(): void {
    this.#closed = true;
    this.#options.stream.destroy();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.stream.destroy();
    this.#options.handler.onClose();
  }

  #take(chunk: Buffer): void {
    let from = 0;
    while (from < chunk.byteLength || this.#isWhole()) {
      if (this.#closed) return;
      if (this.#incoming === null) from = this.#takePreamble(chunk, from);
      else from = this.#takeContent(chunk, from, this.#incoming);
    }
  }

  #isWhole(): boolean {
    const incoming = this.#incoming;
    if (incoming === null) return false;
    return this.#at === incoming.header.byteLength + (incoming.spoolOffset < 0 ? incoming.bodyBytes : 0);
  }

  #takePreamble(chunk: Buffer, from: number): number {
    const count = Math.min(PREAMBLE_BYTES - this.#preambleAt, chunk.byteLength - from);
    chunk.copy(this.#preamble, this.#preambleAt, from, from + count);
    this.#preambleAt += count;
    if (this.#preambleAt === PREAMBLE_BYTES) this.#startMessage();
    return from + count;
  }

  #startMessage(): void {
    this.#preambleAt = 0;
    this.#at = 0;
    const headerBytes = this.#preamble.readUInt32LE(0);
    if (headerBytes > MAX_HEADER_BYTES) {
      this.#end();
      return;
    }
    this.#options.spoolOut?.freeUpTo(this.#preamble.readDoubleLE(8));
    this.#incoming = {
      header: Buffer.allocUnsafe(headerBytes),
      bodyBytes: this.#preamble.readUInt32LE(4),
      spoolOffset: this.#preamble.readDoubleLE(16),
      body: null,
    };
  }

  #takeContent(chunk: Buffer, from: number, incoming: Incoming): number {
    const { header, bodyBytes, spoolOffset } = incoming;
    const headerBytes = header.byteLength;
    if (this.#at < headerBytes) {
      const count = Math.min(headerBytes - this.#at, chunk.byteLength - from);
      chunk.copy(header, this.#at, from, from + count);
      this.#at += count;
      return from + count;
    }
    incoming.body ??= this.#options.bodyBuffer(bodyBytes);
    const bodyAt = this.#at - headerBytes;
    const count = spoolOffset < 0 ? Math.min(bodyBytes - bodyAt, chunk.byteLength - from) : 0;
    incoming.body.set(chunk.subarray(from, from + count), bodyAt);
    this.#at += count;
    if (this.#isWhole()) this.#deliver(incoming, incoming.body);
    return from + count;
  }

  #deliver(incoming: Incoming, body: Uint8Array): void {
    this.#incoming = null;
    const { spoolOffset, header } = incoming;
    let parsed: In;
    try {
      if (spoolOffset >= 0) {
        readSpool(this.#options.spoolInFd ?? -1, body, spoolOffset);
        this.#readFromSpool++;
      }
      parsed = JSON.parse(header.toString('utf8')) as In;
    } catch {
      this.#end();
      return;
    }
    this.#options.handler.onMessage(parsed, body);
  }
}
