// Bytes of a YUV4MPEG2 stream as they come -> its frames, and their RGB pixels when somebody wants them.
import { KerfError, type RgbImage } from '@kerf/protocol';
import { rgbPixels } from './rgb-pixels.ts';

export interface Y4mFormat {
  readonly width: number;
  readonly height: number;
  /** Frames per second; null where the stream does not say. */
  readonly framesPerSecond: number | null;
  /** Horizontal and vertical size of a chroma sample in pixels; null for grey. */
  readonly chroma: { readonly x: 1 | 2; readonly y: 1 | 2 } | null;
  /** True: brightness from 0 to 255; else from 16 to 235. */
  readonly isFullRange: boolean;
}

/** As large as a decoded picture may be. */
const MAX_PIXELS = 2 ** 26;
const MAX_HEADER_BYTES = 1024;
const LINE_FEED = 10;

/** Feeds on chunks of any size. Holds one frame at most. */
export class Y4mReader {
  private readonly onFrame: (yuv: Uint8Array, format: Y4mFormat) => void;
  private header: Uint8Array = new Uint8Array(0);
  private format: Y4mFormat | null = null;
  private frame: Uint8Array | null = null;
  private filled = 0;

  /** @param onFrame gets planes that are its own: Y, then both chroma planes. */
  constructor(onFrame: (yuv: Uint8Array, format: Y4mFormat) => void) {
    this.onFrame = onFrame;
  }

  /** True between two frames: a stream that ends elsewhere was cut off. */
  get isBetweenFrames(): boolean {
    return this.frame === null && this.header.byteLength === 0;
  }

  /** @throws {KerfError} IMAGE_INVALID for what is no such stream. */
  read(chunk: Uint8Array): void {
    for (let rest = chunk; rest.byteLength > 0; ) {
      rest = this.frame === null ? this.readHeader(rest) : this.readFrame(rest, this.frame);
    }
  }

  private readFrame(bytes: Uint8Array, frame: Uint8Array): Uint8Array {
    const taken = bytes.subarray(0, frame.byteLength - this.filled);
    frame.set(taken, this.filled);
    this.filled += taken.byteLength;
    if (this.filled === frame.byteLength && this.format !== null) {
      this.frame = null;
      this.onFrame(frame, this.format);
    }
    return bytes.subarray(taken.byteLength);
  }

  private readHeader(bytes: Uint8Array): Uint8Array {
    const end = bytes.indexOf(LINE_FEED);
    const part = end < 0 ? bytes : bytes.subarray(0, end);
    if (this.header.byteLength + part.byteLength > MAX_HEADER_BYTES) throw malformed('a header has no end');
    const joined = new Uint8Array(this.header.byteLength + part.byteLength);
    joined.set(this.header);
    joined.set(part, this.header.byteLength);
    if (end < 0) {
      this.header = joined;
      return bytes.subarray(bytes.byteLength);
    }
    this.header = new Uint8Array(0);
    this.takeHeader(new TextDecoder().decode(joined));
    return bytes.subarray(end + 1);
  }

  private takeHeader(line: string): void {
    if (this.format === null) {
      this.format = formatOf(line);
    } else if (/^FRAME( |$)/.test(line)) {
      this.frame = new Uint8Array(frameBytes(this.format));
      this.filled = 0;
    } else {
      throw malformed('a frame does not begin where it should');
    }
  }
}

function formatOf(line: string): Y4mFormat {
  const [magic, ...tags] = line.split(' ');
  if (magic !== 'YUV4MPEG2') throw malformed('it does not begin with YUV4MPEG2');
  const tag = (letter: string): string | null => tags.find((text) => text.startsWith(letter))?.slice(1) ?? null;
  const width = Number(tag('W'));
  const height = Number(tag('H'));
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1)
    throw malformed('it has no size');
  if (width * height > MAX_PIXELS) throw malformed(`${width}x${height} is more than ${MAX_PIXELS} pixels`);
  const [numerator, denominator] = (tag('F') ?? '').split(':').map(Number);
  const rate = numerator !== undefined && denominator !== undefined ? numerator / denominator : Number.NaN;
  return {
    width,
    height,
    framesPerSecond: rate > 0 && Number.isFinite(rate) ? rate : null,
    chroma: chromaOf(tag('C') ?? '420'),
    isFullRange: tags.includes('XCOLORRANGE=FULL'),
  };
}

function chromaOf(name: string): Y4mFormat['chroma'] {
  if (/^420(jpeg|mpeg2|paldv)?$/.test(name)) return { x: 2, y: 2 };
  if (name === '422') return { x: 2, y: 1 };
  if (name === '444') return { x: 1, y: 1 };
  if (name === 'mono') return null;
  throw malformed(`its colours are '${name}'; 420, 422, 444 and mono with 8 bits are read`);
}

function frameBytes({ width, height, chroma }: Y4mFormat): number {
  if (chroma === null) return width * height;
  return width * height + 2 * Math.ceil(width / chroma.x) * Math.ceil(height / chroma.y);
}

/** By ITU-R BT.601 in 16-bit fixed point; each chroma sample stands for its pixels. */
export function rgbOfYuv(yuv: Uint8Array, { width, height, chroma, isFullRange }: Y4mFormat): RgbImage {
  const pixels = rgbPixels(width * height);
  const data = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  const gain = isFullRange ? 65_536 : 76_309; // 255 / 219
  const black = isFullRange ? 0 : 16;
  const [redV, greenU, greenV, blueU] = isFullRange
    ? [91_881, 22_554, 46_802, 116_130]
    : [104_597, 25_675, 53_279, 132_201];
  const columns = chroma === null ? 0 : Math.ceil(width / chroma.x);
  const planeU = width * height;
  const planeV = planeU + (chroma === null ? 0 : columns * Math.ceil(height / chroma.y));
  const shiftX = chroma?.x === 2 ? 1 : 0;
  const shiftY = chroma?.y === 2 ? 1 : 0;
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = (y >> shiftY) * columns;
    for (let x = 0; x < width; x++) {
      const luma = ((yuv[y * width + x] as number) - black) * gain + 32_768;
      let u = 0;
      let v = 0;
      if (chroma !== null) {
        u = (yuv[planeU + row + (x >> shiftX)] as number) - 128;
        v = (yuv[planeV + row + (x >> shiftX)] as number) - 128;
      }
      data[to] = (luma + redV * v) >> 16;
      data[to + 1] = (luma - greenU * u - greenV * v) >> 16;
      data[to + 2] = (luma + blueU * u) >> 16;
      to += 3;
    }
  }
  return { width, height, data: pixels };
}

function malformed(why: string): KerfError {
  return new KerfError('IMAGE_INVALID', `the video cannot be read: ${why}`);
}
