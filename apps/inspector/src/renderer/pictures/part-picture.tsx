// A part's picture with its mask and boxes, drawn outside React: one renderer for live, still and replay.
import type { PictureView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import { useEffect, useRef, useState } from 'react';
import { maskPixels } from './mask-image.ts';

const NG_COLOR: readonly [number, number, number] = [255, 32, 64];

const WIDTH_STEP = 160;

interface Props {
  readonly record: ResultRecord;
  readonly picture: PictureView;
  readonly showOverlay: boolean;
  /** What the picture is, for those who cannot see it. */
  readonly label: string;
}

export function PartPicture({ record, picture, showOverlay, label }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [painter] = useState(() => new PicturePainter());
  useEffect(() => {
    if (canvas.current !== null) painter.show({ canvas: canvas.current, record, picture, showOverlay });
  }, [painter, record, picture, showOverlay]);
  return <canvas ref={canvas} className="part-picture" role="img" aria-label={label} data-overlay={showOverlay} />;
}

interface Shown {
  readonly canvas: HTMLCanvasElement;
  readonly record: ResultRecord;
  readonly picture: PictureView;
  readonly showOverlay: boolean;
}

/**
 * One picture is decoded at a time, and is drawn even if a newer one has come meanwhile: where parts come faster than
 * pictures can be decoded, the newest of them are shown, not none.
 */
export class PicturePainter {
  private waiting: Shown | null = null;
  private isBusy = false;

  show(shown: Shown): void {
    this.waiting = shown;
    if (!this.isBusy) void this.paint();
  }

  private async paint(): Promise<void> {
    this.isBusy = true;
    for (let next = this.taken(); next !== null; next = this.taken()) {
      const { canvas, record, picture, showOverlay } = next;
      const { format, bytes } = picture;
      try {
        const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: `image/${format}` });
        const bitmap = await createImageBitmap(blob, sizeOf(canvas, picture));
        draw(canvas, bitmap, showOverlay ? record : null, bitmap.width / picture.width);
        bitmap.close();
      } catch {
        // A picture that this browser cannot decode: the canvas stays as it is, the record says what was found.
      }
    }
    this.isBusy = false;
  }

  private taken(): Shown | null {
    const { waiting } = this;
    this.waiting = null;
    return waiting;
  }
}

/** No larger than it is seen: the rest is scaled away where it is decoded, off this thread. In steps, as layouts change. */
function sizeOf({ clientWidth }: HTMLCanvasElement, { width }: PictureView): ImageBitmapOptions {
  const seen = Math.ceil((clientWidth * devicePixelRatio) / WIDTH_STEP) * WIDTH_STEP;
  return seen > 0 && seen < width ? { resizeWidth: seen, resizeQuality: 'medium' } : {};
}

/** @param scale pixels of the canvas for one of the picture that was taken, which boxes are placed by */
function draw(canvas: HTMLCanvasElement, bitmap: ImageBitmap, record: ResultRecord | null, scale: number): void {
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.drawImage(bitmap, 0, 0);
  if (record === null) return;
  if (record.mask !== null) drawMask(context, record.mask, width, height);
  context.lineWidth = Math.max(2, width / 160);
  context.font = `${Math.max(12, Math.round(width / 24))}px system-ui, sans-serif`;
  for (const { x, y, width: boxWidth, height: boxHeight, label } of record.boxes) {
    context.strokeStyle = `rgb(${NG_COLOR.join(' ')})`;
    context.strokeRect(x * scale, y * scale, boxWidth * scale, boxHeight * scale);
    context.fillStyle = context.strokeStyle;
    context.fillText(label, x * scale, Math.max(y * scale - context.lineWidth, 12));
  }
}

function drawMask(
  context: CanvasRenderingContext2D,
  mask: NonNullable<ResultRecord['mask']>,
  width: number,
  height: number,
): void {
  const layer = new OffscreenCanvas(mask.width, mask.height);
  layer.getContext('2d')?.putImageData(new ImageData(maskPixels(mask, NG_COLOR), mask.width, mask.height), 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(layer, 0, 0, width, height);
}
