// Bytes of a Modbus TCP stream <-> its messages: seven bytes of header, then the request or answer.
import { KerfError } from '@kerf/protocol';

export interface ModbusFrame {
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Uint8Array;
}

const HEADER_BYTES = 7;
/** The longest request or answer, with its unit number. */
const MAX_LENGTH = 254;

export function frameBytes({ transaction, unit, pdu }: ModbusFrame): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(transaction, 0);
  header.writeUInt16BE(pdu.byteLength + 1, 4);
  header.writeUInt8(unit, 6);
  return Buffer.concat([header, pdu]);
}

export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);

  /** @throws {KerfError} SINK_REFUSED when the peer does not speak Modbus TCP. */
  read(chunk: Buffer): ModbusFrame[] {
    this.rest = Buffer.concat([this.rest, chunk]);
    const frames: ModbusFrame[] = [];
    while (this.rest.length >= HEADER_BYTES) {
      const length = this.rest.readUInt16BE(4);
      if (this.rest.readUInt16BE(2) !== 0 || length < 2 || length > MAX_LENGTH) {
        throw new KerfError('SINK_REFUSED', 'the peer does not speak Modbus TCP; check host and port');
      }
      const end = HEADER_BYTES - 1 + length;
      if (this.rest.length < end) break;
      const pdu = Uint8Array.from(this.rest.subarray(HEADER_BYTES, end));
      frames.push({ transaction: this.rest.readUInt16BE(0), unit: this.rest.readUInt8(6), pdu });
      this.rest = this.rest.subarray(end);
    }
    return frames;
  }
}
