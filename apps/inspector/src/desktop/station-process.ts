// A station in a process of its own: started, handed ports, and started again when it dies.
import type { MessagePortMain, UtilityProcess } from 'electron';
import { MessageChannelMain, utilityProcess } from 'electron';
import { MEDIA } from './channels.ts';

export interface StationProcessOptions {
  /** The host's script. */
  readonly script: string;
  /** Of the script: the lines, or a folder for the demo line. */
  readonly args: readonly string[];
  /** A camera is wanted: the other end of a port that the station has. */
  onMedia(port: MessagePortMain): void;
  /** Every port handed out is dead. */
  onGone(): void;
}

const RESTART_MS = { first: 500, most: 10_000 };
/** A process that lived as long was well: the next death counts as the first. */
const WELL_MS = 60_000;

export class StationProcess {
  private readonly options: StationProcessOptions;
  private child: UtilityProcess | null = null;
  private deaths = 0;
  private startedAt = 0;
  private stopped = false;

  constructor(options: StationProcessOptions) {
    this.options = options;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  start(): void {
    this.startedAt = Date.now();
    const child = utilityProcess.fork(this.options.script, [...this.options.args], {
      serviceName: 'kerf station',
      stdio: 'inherit',
    });
    this.child = child;
    child.on('message', (asked: { readonly kind?: unknown; readonly id?: unknown }) => {
      if (asked.kind !== MEDIA) return;
      const { port1, port2 } = new MessageChannelMain();
      child.postMessage({ media: asked.id }, [port1]);
      this.options.onMedia(port2);
    });
    child.once('exit', () => this.onExit());
  }

  /** False while there is no process: the page asks again. */
  connect(port: MessagePortMain, line: number): boolean {
    if (this.child?.pid === undefined) return false;
    this.child.postMessage({ line }, [port]);
    return true;
  }

  stop(): void {
    this.stopped = true;
    this.child?.kill();
  }

  private onExit(): void {
    this.child = null;
    this.options.onGone();
    if (this.stopped) return;
    if (Date.now() - this.startedAt > WELL_MS) this.deaths = 0;
    setTimeout(() => this.start(), Math.min(RESTART_MS.first * 2 ** this.deaths++, RESTART_MS.most));
  }
}
