// `jpeg:80`, `webp:75`, `webp:lossless`, `png` -> an image format.
import { usageError } from '../command.ts';
import type { PictureCoding } from '../measure/placements.ts';

/** @throws {KerfError} INVALID_ARGUMENT naming the option. */
export function pictureCoding(option: string, text: string): PictureCoding {
  const [format = '', detail] = text.toLowerCase().split(':', 2);
  const quality = detail === undefined ? 90 : Number(detail === '' ? Number.NaN : detail);
  const isQuality = Number.isInteger(quality) && quality >= 1 && quality <= 100;
  if (format === 'png' && detail === undefined) return { format };
  if (format === 'webp' && detail === 'lossless') return { format, quality: null };
  if ((format === 'jpeg' || format === 'jpg') && isQuality) return { format: 'jpeg', quality };
  if (format === 'webp' && isQuality) return { format, quality };
  throw usageError(`--${option} must be png, jpeg:QUALITY, webp:QUALITY or webp:lossless, got '${text}'`);
}
