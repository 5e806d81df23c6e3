// What the registry and its delta workers tell each other.
import type { FormatVersion } from '@kerf/delta-sync';

export interface JobFile {
  readonly path: string;
  /** In its release. */
  readonly name: string;
  readonly sha256: string;
  /** The model whose tensors lie in it: itself, or the one that names it as its data; null for any other file. */
  readonly model: { readonly path: string } | null;
}

export interface DeltaJob {
  /** Null: the target compressed. */
  readonly base: JobFile | null;
  readonly target: JobFile;
  /** File to write. */
  readonly out: string;
  /** The newest version of the format that may be used; null: the last. */
  readonly format: FormatVersion | null;
}

export type WorkerMessage =
  | { readonly type: 'progress'; readonly doneBytes: number }
  | { readonly type: 'made'; readonly deltaBytes: number }
  | { readonly type: 'failed'; readonly reason: string };
