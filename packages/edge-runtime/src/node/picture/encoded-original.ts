// A picture as it was taken -> bytes of a file: its own, or PNG where it came as pixels.
import type { Picture } from '../../capture/capture.ts';
import { encodePng } from './picture-file.ts';

export async function encodedOriginal(picture: Picture): Promise<Extract<Picture, { kind: 'encoded' }>> {
  if (picture.kind === 'encoded') return picture;
  return { kind: 'encoded', format: 'png', bytes: await encodePng(picture.image) };
}
