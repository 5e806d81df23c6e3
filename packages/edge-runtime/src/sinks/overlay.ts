// A picture + its record -> the picture with what the station saw: verdict, mask and boxes. Never by colour alone.
import type { RgbImage } from '@kerf/protocol';
import type { ResultBox, ResultMask, ResultRecord, Verdict } from '../station/result-record.ts';
import { Canvas, type Colour, textWidth } from './canvas.ts';

/** Colours that differ in brightness as well, for those who do not see red and green apart. */
const COLOURS: Readonly<Record<Verdict, Colour>> = {
  PASS: [0, 110, 70],
  REVIEW: [240, 190, 40],
  NG: [190, 20, 30],
  NO_READ: [70, 90, 160],
  ERROR: [60, 60, 60],
};
const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];
const MARK: Colour = [255, 0, 220];
const MASK_SHARE = 0.35;

/** The mark of a verdict inside a circle of diameter 1: true where it is drawn. One shape for each verdict. */
const SHAPES: Readonly<Record<Verdict, (x: number, y: number) => boolean>> = {
  PASS: (x, y) => Math.abs(Math.hypot(x - 0.5, y - 0.5) - 0.4) < 0.1,
  REVIEW: (x, y) => y > 0.1 && y < 0.9 && Math.abs(x - 0.5) < (y - 0.1) * 0.55,
  NG: (x, y) => Math.abs(x - y) < 0.14 || Math.abs(x + y - 1) < 0.14,
  NO_READ: (x, y) => (x < 0.2 || x > 0.8 || y < 0.2 || y > 0.8) && x > 0.05 && x < 0.95 && y > 0.05 && y < 0.95,
  ERROR: (x) => Math.abs(x - 0.5) < 0.15,
};

/**
 * The picture below a strip with the verdict's word, shape and colour, the part and the score; the mask as a tint with an
 * edge, boxes with their labels. The strip is added above, so that it hides nothing.
 */
export function drawOverlay(picture: RgbImage, record: ResultRecord): RgbImage {
  const scale = Math.max(1, Math.round(Math.min(picture.width, picture.height * 2) / 260));
  const strip = 11 * scale;
  const canvas = new Canvas(picture.width, picture.height + strip);
  canvas.paste(picture, strip);
  if (record.mask !== null) drawMask(canvas, picture, strip, record.mask);
  for (const box of record.boxes) drawBox(canvas, strip, scale, box);
  drawStrip(canvas, strip, scale, record);
  return canvas.image;
}

function drawStrip(canvas: Canvas, strip: number, scale: number, record: ResultRecord): void {
  const { verdict, isPartial, partId, score } = record;
  const ink = verdict === 'REVIEW' ? BLACK : WHITE;
  canvas.fill(0, 0, canvas.image.width, strip, COLOURS[verdict]);
  const size = strip - 2 * scale;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (SHAPES[verdict]((x + 0.5) / size, (y + 0.5) / size)) canvas.dot(x + scale, y + scale, ink);
    }
  }
  const words = [
    verdict.replace('_', ' '),
    isPartial ? 'PROVISIONAL' : '',
    partId ?? '',
    score === null ? '' : score.toFixed(3),
  ];
  canvas.text(words.filter((word) => word !== '').join('  '), strip + scale, 2 * scale, scale, ink);
}

/** Cell by cell: what was not found costs nothing. */
function drawMask(canvas: Canvas, picture: RgbImage, strip: number, mask: ResultMask): void {
  const cells = cellsOf(mask);
  if (cells === null) return;
  const isSet = (column: number, row: number): boolean =>
    column >= 0 && row >= 0 && column < mask.width && row < mask.height && cells[row * mask.width + column] === 1;
  const { x: fromX, y: fromY, width, height } = mask.area ?? { x: 0, y: 0, ...picture };
  for (let row = 0; row < mask.height; row++) {
    const top = fromY + Math.ceil((row * height) / mask.height);
    const bottom = fromY + Math.ceil(((row + 1) * height) / mask.height) - 1;
    for (let column = 0; column < mask.width; column++) {
      if (!isSet(column, row)) continue;
      const left = fromX + Math.ceil((column * width) / mask.width);
      const right = fromX + Math.ceil(((column + 1) * width) / mask.width) - 1;
      const open = {
        left: !isSet(column - 1, row),
        right: !isSet(column + 1, row),
        top: !isSet(column, row - 1),
        bottom: !isSet(column, row + 1),
      };
      for (let y = Math.max(0, top); y <= Math.min(bottom, picture.height - 1); y++) {
        const isEdgeRow = (open.top && y === top) || (open.bottom && y === bottom);
        for (let x = Math.max(0, left); x <= Math.min(right, picture.width - 1); x++) {
          const isEdge = isEdgeRow || (open.left && x === left) || (open.right && x === right);
          canvas.tint(x, y + strip, MARK, isEdge ? 1 : MASK_SHARE);
        }
      }
    }
  }
}

/** Cells of {@link ResultMask}, 1 where a run has a value that is not 0; null for runs that do not fill the grid. */
function cellsOf({ width, height, runs }: ResultMask): Uint8Array | null {
  const cells = new Uint8Array(width * height);
  let at = 0;
  for (let index = 0; index + 1 < runs.length; index += 2) {
    const length = runs[index + 1] as number;
    if (!(length >= 0) || at + length > cells.length) return null;
    if (runs[index] !== 0) cells.fill(1, at, at + length);
    at += length;
  }
  return at === cells.length ? cells : null;
}

function drawBox(canvas: Canvas, strip: number, scale: number, { x, y, width, height, label, score }: ResultBox): void {
  const left = Math.round(x);
  const top = Math.round(y) + strip;
  canvas.frame(left, top, Math.round(width), Math.round(height), scale, MARK);
  const text = `${label} ${score.toFixed(2)}`.slice(0, 64);
  const above = top - 9 * scale >= strip ? top - 9 * scale : top;
  canvas.fill(left, above, textWidth(text, scale) + scale, 9 * scale, BLACK);
  canvas.text(text, left + scale, above + scale, scale, WHITE);
}
