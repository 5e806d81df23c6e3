// Calls that wait for their answers, matched by id, on one side of a bridge.
import type { KerfError } from '@kerf/protocol';
import type { CauseView } from './cause-view.ts';
import { errorOfFault } from './fault-view.ts';

/** What the other side says of a call. */
export type Settled =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | {
      readonly kind: 'fault';
      readonly id: number;
      readonly code: string;
      readonly message: string;
      readonly cause?: CauseView | null;
    };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: KerfError) => void;
}

export class PendingCalls {
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;

  /** @param say hands the call with its id to the other side */
  add<T>(say: (id: number) => void): Promise<T> {
    const id = this.nextId++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      say(id);
    });
  }

  settle(said: Settled): void {
    const waiting = this.waiting.get(said.id);
    this.waiting.delete(said.id);
    if (said.kind === 'answer') waiting?.resolve(said.value);
    else waiting?.reject(errorOfFault(said));
  }

  failAll(error: KerfError): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of all) reject(error);
  }
}
