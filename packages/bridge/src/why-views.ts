// What of a frame is shown on demand: the activation at the cut, and what other placements would have said.
import type { ChannelPictures, Way } from '@kerf/edge-runtime';

export interface LookedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Null for a tensor that no picture can be made of. */
  readonly pictures: ChannelPictures | null;
}

export interface WhyLook {
  /** Whether these tensors crossed for this frame; else they are what would cross at this place. */
  readonly hasCrossed: boolean;
  /** False where the model is not cut: then this is the place nearest to its middle where it could be. */
  readonly isCut: boolean;
  /** The picture is no longer there at full size: what is shown is nearly what was. */
  readonly isNear: boolean;
  readonly tensors: readonly LookedTensor[];
}

export interface WhyWays {
  /** The thresholds are those of now, and so is the model. */
  readonly ways: readonly Way[];
  readonly isNear: boolean;
}
