// What the harness needs of an edge's process, and the edge with one session (edge-process.ts) as such.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { EdgeOrders } from './edge-process.ts';

export interface ChaosEdge {
  readonly child: ChildProcess | null;
  /** A fault has it now. */
  isBusy: boolean;
  /** The first life, or the next one. */
  start(): void;
  /** This life can be told to end. */
  readonly isUp: boolean;
  /** The cloud has answered it. */
  readonly isServed: boolean;
  /** Takes nothing new any more, and every part has its record; one that settles while it ends says so at once. */
  readonly isSettled: boolean;
  /** Lines as edge-process.ts writes them. */
  readonly told: string;
  /** A line for each record. */
  readonly sink: string;
  close(): void;
}

const EDGE = fileURLToPath(new URL('edge-process.ts', import.meta.url));

export class SessionEdge implements ChaosEdge {
  child: ChildProcess | null = null;
  isBusy = false;
  readonly #orders: EdgeOrders;

  constructor(orders: EdgeOrders) {
    this.#orders = orders;
  }

  /** Settles at its end. */
  readonly isSettled = true;

  start(): void {
    const env = { ...process.env, KERF_CHAOS_EDGE: JSON.stringify(this.#orders) };
    this.child = spawn(process.execPath, ['--import', 'tsx', EDGE], { stdio: ['ignore', 'ignore', 'inherit'], env });
  }

  get isUp(): boolean {
    return this.told.includes(`alive ${this.child?.pid}\n`);
  }

  get isServed(): boolean {
    return /^frame .* split$/m.test(this.told);
  }

  get told(): string {
    return this.#read('told.txt');
  }

  get sink(): string {
    return this.#read('sink.txt');
  }

  close(): void {
    this.child?.kill('SIGKILL');
  }

  #read(name: string): string {
    const file = join(this.#orders.folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
}
