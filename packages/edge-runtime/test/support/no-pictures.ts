// Work on pictures that a test does not expect.
import type { Pictures } from '../../src/station/pictures.ts';

const unexpected = (): Promise<never> => Promise.reject(new Error('nobody was to look at a picture'));

export const NO_PICTURES: Pictures = {
  prepare: unexpected,
  overlay: unexpected,
  shown: unexpected,
  sizeOf: unexpected,
};
