// What a station file says of pictures, and what is wanted of one: plain data, which crosses to another thread.
import type { TensorSpec } from '@kerf/protocol';
import type { Rectangle } from './fit-picture.ts';
import type { ReadableLimits } from './picture-check.ts';
import type { PictureCoding } from './picture-codec.ts';
import type { PictureOptions } from './picture-rule.ts';

/** What a station file says of pictures. */
export interface ReadingRules {
  readonly picture: PictureOptions & { readonly crop: Rectangle | null };
  readonly readable: ReadableLimits;
}

/** What is wanted of a picture; plain data. */
export interface WantedInputs extends ReadingRules {
  /** Of the model; null where nobody knows yet: then the picture is only looked at. */
  readonly main: readonly TensorSpec[] | null;
  /** Of the small model, where there is one. */
  readonly small: readonly TensorSpec[] | null;
  /** Where the whole model runs in the cloud: the picture crosses coded; null sends tensors. */
  readonly send: PictureCoding | null;
}
