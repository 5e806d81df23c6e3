// A port -> what stands in the tables, for whoever asks over Modbus TCP.
import { createServer, type Server, type Socket } from 'node:net';
import { KerfError } from '@kerf/protocol';
import { answerPdu, type ModbusData } from '../../plc/modbus-pdu.ts';
import { listening } from '../listen.ts';
import { FrameReader, frameBytes } from './modbus-frames.ts';

export interface ModbusServerOptions {
  readonly host: string;
  readonly port: number;
  /** IP addresses that may connect; empty: any. */
  readonly allow: readonly string[];
  /** Null: any. */
  readonly unit: number | null;
  readonly data: ModbusData;
}

/** PLCs keep one or two connections each. */
const MAX_CONNECTIONS = 16;
/** Answers that a peer has not read yet; one that never reads is let go. */
const MAX_UNREAD_BYTES = 65_536;

export interface ModbusServer {
  readonly port: number;
  readonly connections: number;
  close(): Promise<void>;
}

/** @throws {KerfError} INVALID_ARGUMENT when the port cannot be used. */
export async function modbusServer({ host, port, allow, unit, data }: ModbusServerOptions): Promise<ModbusServer> {
  /** The one that has asked for nothing the longest is the first. */
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    const peer = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    socket.on('error', () => socket.destroy());
    if (allow.length > 0 && !allow.includes(peer)) {
      socket.destroy();
      return;
    }
    // A PLC that lost its power never closed the one before: it must not be kept out by those that it left.
    const [longestSilent] = sockets;
    if (longestSilent !== undefined && sockets.size >= MAX_CONNECTIONS) {
      sockets.delete(longestSilent);
      longestSilent.destroy();
    }
    sockets.add(socket);
    socket.on('data', () => {
      sockets.delete(socket);
      sockets.add(socket);
    });
    socket.on('close', () => sockets.delete(socket));
    serve(socket, unit, data);
  });
  const taken = await listening(server, host, port);
  return {
    port: taken,
    get connections() {
      return sockets.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function serve(socket: Socket, unit: number | null, data: ModbusData): void {
  const reader = new FrameReader();
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of reader.read(chunk)) {
        if (unit !== null && frame.unit !== unit) continue;
        socket.write(frameBytes({ ...frame, pdu: answerPdu(frame.pdu, data) }));
      }
    } catch (error) {
      if (!KerfError.is(error)) throw error;
      socket.destroy(); // no Modbus: there is no frame to answer
    }
    if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
  });
}
