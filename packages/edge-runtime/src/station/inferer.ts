// The seam to whatever runs a station's model: a session, or routes that a controller chooses among.
import type { TensorSpec } from '@kerf/protocol';
import type { InferOptions } from '../session/edge-session.ts';
import type { FrameInputs } from '../session/inputs.ts';
import type { Outcome } from '../session/outcome.ts';

export interface Inferer {
  /** What `infer` takes; null while only the cloud could know and has not said. */
  readonly inputs: readonly TensorSpec[] | null;
  /** Runs a frame; exactly one outcome, at its deadline at the latest. `route` names the way it went, where there are several. */
  infer(inputs: FrameInputs, options?: InferOptions): Promise<Outcome & { readonly route?: string }>;
}

/** The model that is to judge parts, and what is known of its way to the cloud. */
export interface MainModel {
  readonly inferer: Inferer;
  /** Hex SHA-256 of the model's file, or the release's name. */
  readonly release: string;
  /** True while a frame without an answer is worth running again. */
  isReady(): boolean;
  /** Of the link; null where there is none or nothing was measured. */
  roundTripMs(): number | null;
  /** Why the cloud is away, `connected`, or null where there is none. */
  link(): string | null;
}
