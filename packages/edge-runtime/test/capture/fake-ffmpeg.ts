// A program that stands for ffmpeg: a real process whose stream a test writes, stalls and breaks.
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './support.ts';

/** Copies what the test sends to its output; ends badly when the test hangs up. Writes its arguments to a file. */
const PROGRAM = (port: number, log: string): string => `#!${process.execPath}
const { appendFileSync } = require('node:fs');
if (process.argv[2] === '-version') process.exit(0);
appendFileSync(${JSON.stringify(log)}, JSON.stringify(process.argv.slice(2)) + '\\n');
const socket = require('node:net').connect(${port}, '127.0.0.1');
const fail = () => { console.error('rtsp://camera: Connection refused for secret'); process.exit(1); };
socket.on('error', fail);
socket.on('close', fail);
socket.pipe(process.stdout);
`;

export class FakeFfmpeg {
  readonly folder: string;
  readonly program: string;
  readonly log: string;
  private readonly port: number;
  private server: Server | null = null;
  private socket: Socket | null = null;
  private connected: (() => void)[] = [];
  private hasHeader = false;
  private isOver = false;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.program = join(folder, 'ffmpeg');
    this.log = join(folder, 'arguments');
  }

  static async make(): Promise<FakeFfmpeg> {
    const fake = new FakeFfmpeg(await mkdtemp(join(tmpdir(), 'kerf-ffmpeg-')), await freePort());
    await writeFile(fake.program, PROGRAM(fake.port, fake.log));
    await chmod(fake.program, 0o755);
    await fake.back();
    return fake;
  }

  /** One frame of 8 by 6 pixels; equal numbers make equal frames. */
  async send(number: number): Promise<void> {
    while (this.socket === null) {
      if (this.isOver) return;
      await new Promise<void>((resolve) => this.connected.push(resolve));
    }
    if (!this.hasHeader) this.socket.write('YUV4MPEG2 W8 H6 F25:1 C420jpeg\n');
    this.hasHeader = true;
    this.socket.write(Buffer.concat([Buffer.from('FRAME\n'), Buffer.alloc(72, 40 + number * 9)]));
  }

  async away(): Promise<void> {
    const { server } = this;
    this.server = null;
    this.socket?.destroy();
    this.socket = null;
    if (server === null) return;
    server.close();
    await once(server, 'close');
  }

  async back(): Promise<void> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (this.socket === socket) this.socket = null;
      });
      this.socket = socket;
      this.hasHeader = false;
      for (const wake of this.connected.splice(0)) wake();
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.server = server;
  }

  /** The arguments of each start. */
  async calls(): Promise<readonly (readonly string[])[]> {
    const lines = (await readFile(this.log, 'utf8')).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as readonly string[]);
  }

  async dispose(): Promise<void> {
    this.isOver = true;
    await this.away();
    for (const wake of this.connected.splice(0)) wake();
    await rm(this.folder, { recursive: true });
  }
}
