// A decoded picture, what the model marked in it, and how old it is -> pixels of a canvas.
import type { ResultBox, ResultMask, ResultRecord } from '@kerf/edge-runtime';
import type { DecodedPicture } from './decode-picture.ts';
import { maskPixels } from './mask-image.ts';

type Color = readonly [red: number, green: number, blue: number];

/** Red means NG, and nothing else; what is marked on any other part has to stand out from metal, brick and varnish too. */
const NG_COLOR: Color = [255, 32, 64];
const OTHER_COLOR: Color = [0, 200, 255];

export interface DrawnPart {
  readonly decoded: DecodedPicture;
  /** Null where they are hidden. */
  readonly marked: Pick<ResultRecord, 'mask' | 'boxes' | 'verdict'> | null;
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
  if (marked !== null) {
    const color = marked.verdict === 'NG' ? NG_COLOR : OTHER_COLOR;
    const whole = { x: 0, y: 0, width: width / scale, height: height / scale };
    if (marked.mask !== null) drawMask(context, marked.mask, { color, area: marked.mask.area ?? whole, scale });
    if (marked.boxes.length > 0) drawBoxes(context, marked.boxes, { color, scale, canvasWidth: width });
  }
  if (age !== null) drawAge(context, age, width);
}

interface MaskLook {
  readonly color: Color;
  /** Of the picture that was taken. */
  readonly area: NonNullable<ResultMask['area']>;
  readonly scale: number;
}

function drawMask(
  context: OffscreenCanvasRenderingContext2D,
  mask: ResultMask,
  { color, area: { x, y, width, height }, scale }: MaskLook,
): void {
  const layer = new OffscreenCanvas(mask.width, mask.height);
  layer.getContext('2d')?.putImageData(new ImageData(maskPixels(mask, color), mask.width, mask.height), 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(layer, x * scale, y * scale, width * scale, height * scale);
}

function drawBoxes(
  context: OffscreenCanvasRenderingContext2D,
  boxes: readonly ResultBox[],
  { color, scale, canvasWidth }: { readonly color: Color; readonly scale: number; readonly canvasWidth: number },
): void {
  context.lineWidth = Math.max(2, canvasWidth / 160);
  context.font = `${Math.max(12, Math.round(canvasWidth / 24))}px system-ui, sans-serif`;
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  context.strokeStyle = `rgb(${color.join(' ')})`;
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
