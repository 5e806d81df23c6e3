// What crosses between a thread that asks for models and the worker that holds them.
import type { ErrorCode, LoadOptions, ModelSource, Tensor, TensorSpec } from '@kerf/protocol';

/** Tensors as postMessage carries them; a map crosses as well, but a list keeps the transfer list simple. */
export type TensorEntries = readonly (readonly [name: string, tensor: Tensor])[];

export type WorkerRequest =
  | { readonly id: number; readonly kind: 'load'; readonly source: ModelSource; readonly options: LoadOptions }
  | { readonly id: number; readonly kind: 'run'; readonly model: number; readonly inputs: TensorEntries }
  | { readonly id: number; readonly kind: 'dispose'; readonly model: number };

export interface LoadedReply {
  readonly model: number;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export type WorkerReply =
  | { readonly id: number; readonly kind: 'loaded'; readonly loaded: LoadedReply }
  | { readonly id: number; readonly kind: 'ran'; readonly outputs: TensorEntries }
  | { readonly id: number; readonly kind: 'disposed' }
  | { readonly id: number; readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** One end of a channel between threads, the same for Web Worker and worker_threads. */
export interface WorkerPort {
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** Bytes in memory of their own. Not slice(), which on a Node Buffer is a view of memory that others use. */
export function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Copies of the tensors, so that handing their memory over takes nothing from the sender, and that memory. */
export function copyForTransfer(tensors: Iterable<readonly [string, Tensor]>): [TensorEntries, ArrayBuffer[]] {
  const entries = [...tensors].map(([name, tensor]) => [name, { ...tensor, data: copyOf(tensor.data) }] as const);
  return [entries, entries.map(([, { data }]) => data.buffer)];
}

/** The tensors as they are with the memory that can be handed over; a view of a part of its memory is copied. */
export function ownForTransfer(tensors: Iterable<readonly [string, Tensor]>): [TensorEntries, ArrayBuffer[]] {
  const taken = new Set<ArrayBuffer>();
  const entries = [...tensors].map(([name, tensor]) => {
    const { data } = tensor;
    const whole =
      data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength && !taken.has(data.buffer);
    const owned = (whole ? data : copyOf(data)) as Uint8Array<ArrayBuffer>;
    taken.add(owned.buffer);
    return [name, { dtype: tensor.dtype, shape: tensor.shape, data: owned }] as const;
  });
  return [entries, [...taken]];
}
