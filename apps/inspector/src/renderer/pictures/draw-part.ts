// A decoded picture, what the model marked in it, and how old it is -> pixels of a canvas.
import type { ResultBox, ResultMask } from '@kerf/edge-runtime';
import type { DecodedPicture } from './decode-picture.ts';
import { maskPixels } from './mask-image.ts';

const NG_COLOR: readonly [number, number, number] = [255, 32, 64];

export interface DrawnPart {
  readonly decoded: DecodedPicture;
  /** Null where they are hidden. */
  readonly marked: { readonly mask: ResultMask | null; readonly boxes: readonly ResultBox[] } | null;
  /** Pixels of the decoded picture for one of the picture that was taken, which masks and boxes are placed by. */
  readonly scale: number;
  /** Text in the corner that says how old the picture is; null while it is new. */
  readonly age: string | null;
}

export function drawPart(canvas: OffscreenCanvas, { decoded, marked, scale, age }: DrawnPart): void {
  const { source, width, height } = decoded;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) return;
  context.drawImage(source, 0, 0);
  if (marked?.mask)
    drawMask(
      context,
      marked.mask,
      marked.mask.area ?? { x: 0, y: 0, width: width / scale, height: height / scale },
      scale,
    );
  if (marked !== null && marked.boxes.length > 0) drawBoxes(context, marked.boxes, scale, width);
  if (age !== null) drawAge(context, age, width);
}

/** @param area of the picture that was taken */
function drawMask(
  context: OffscreenCanvasRenderingContext2D,
  mask: ResultMask,
  { x, y, width, height }: NonNullable<ResultMask['area']>,
  scale: number,
): void {
  const layer = new OffscreenCanvas(mask.width, mask.height);
  layer.getContext('2d')?.putImageData(new ImageData(maskPixels(mask, NG_COLOR), mask.width, mask.height), 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(layer, x * scale, y * scale, width * scale, height * scale);
}

function drawBoxes(
  context: OffscreenCanvasRenderingContext2D,
  boxes: readonly ResultBox[],
  scale: number,
  canvasWidth: number,
): void {
  context.lineWidth = Math.max(2, canvasWidth / 160);
  context.font = `${Math.max(12, Math.round(canvasWidth / 24))}px system-ui, sans-serif`;
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  context.strokeStyle = `rgb(${NG_COLOR.join(' ')})`;
  context.fillStyle = context.strokeStyle;
  for (const { x, y, width, height, label } of boxes) {
    context.strokeRect(x * scale, y * scale, width * scale, height * scale);
    context.fillText(label, x * scale, Math.max(y * scale - context.lineWidth, 12));
  }
}

/** White on black in the upper right corner: to be read on any picture, in any theme. */
function drawAge(context: OffscreenCanvasRenderingContext2D, age: string, canvasWidth: number): void {
  const size = Math.max(12, Math.round(canvasWidth / 36));
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textAlign = 'right';
  context.textBaseline = 'top';
  const width = context.measureText(age).width + size;
  context.fillStyle = '#000';
  context.fillRect(canvasWidth - width, 0, width, size * 1.6);
  context.fillStyle = '#fff';
  context.fillText(age, canvasWidth - size / 2, size * 0.3);
}
