// Pictures that were decoded lately -> their pixels: an overlay does not decode again what was judged a moment ago.
import type { RgbImage } from '@kerf/protocol';

/** Some five pictures of 1920 x 1080. */
const MAX_BYTES = 32 * 2 ** 20;

export class DecodedPictures {
  private readonly held = new Map<number, RgbImage>();
  private bytes = 0;

  get(id: number): RgbImage | null {
    const image = this.held.get(id) ?? null;
    if (image === null) return null;
    // Those used longest ago go first.
    this.held.delete(id);
    this.held.set(id, image);
    return image;
  }

  add(id: number, image: RgbImage): void {
    if (this.held.has(id)) return;
    this.held.set(id, image);
    this.bytes += image.data.byteLength;
    for (const [oldest, { data }] of this.held) {
      if (this.bytes <= MAX_BYTES) break;
      this.held.delete(oldest);
      this.bytes -= data.byteLength;
    }
  }
}
