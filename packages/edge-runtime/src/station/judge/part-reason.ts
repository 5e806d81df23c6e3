// What the station itself finds wrong with a part -> a reason: its code, its values for screens that say it in their user's language, and English.
import type { ErrorCode } from '@kerf/protocol';
import type { Reason, ReasonDetail } from '../result-record.ts';

const CODES: Readonly<Record<ReasonDetail['kind'], ErrorCode>> = {
  'no-picture': 'IMAGE_INVALID',
  'unreadable-picture': 'IMAGE_INVALID',
  'repeated-picture': 'IMAGE_INVALID',
  'picture-size': 'IMAGE_INVALID',
  'too-dark': 'IMAGE_INVALID',
  'too-bright': 'IMAGE_INVALID',
  flat: 'IMAGE_INVALID',
  'no-answer': 'SOURCE_LOST',
  'file-unreadable': 'FILE_NOT_FOUND',
  'file-too-large': 'IMAGE_INVALID',
  'file-no-picture': 'IMAGE_INVALID',
  'no-part-id': 'INVALID_ARGUMENT',
  'unknown-part': 'INVALID_ARGUMENT',
  'cloud-silent': 'LINK_LOST',
  'given-up': 'OVERLOADED',
  'no-score': 'BACKEND_FAILED',
  'station-ended': 'CLOSED',
  'too-late': 'DEADLINE_EXCEEDED',
  unsure: 'INVALID_ARGUMENT',
};

export function partReason(detail: ReasonDetail): Reason {
  return { code: CODES[detail.kind], message: english(detail), detail };
}

function english(detail: ReasonDetail): string {
  switch (detail.kind) {
    case 'no-picture':
      return 'the source delivered no picture';
    case 'unreadable-picture':
      return 'the picture cannot be read';
    case 'repeated-picture':
      return 'the picture equals the one before it, byte for byte: the camera may be frozen';
    case 'picture-size':
      return `the picture is ${detail.width}x${detail.height} pixels, which the station file does not allow`;
    case 'too-dark':
      return `the picture is too dark: brightness ${detail.brightness.toFixed(1)} of 255`;
    case 'too-bright':
      return `the picture is too bright: brightness ${detail.brightness.toFixed(1)} of 255`;
    case 'flat':
      return `the picture is flat: contrast ${detail.contrast.toFixed(2)} of 255`;
    case 'no-answer':
      return `source '${detail.source}' gave no picture within ${detail.waitMs} ms of the trigger; check the camera`;
    case 'file-unreadable':
      return `${detail.file} cannot be read: ${detail.error}; check its permissions`;
    case 'file-too-large':
      return `${detail.file} has ${detail.bytes} bytes; the limit is ${detail.mostBytes}`;
    case 'file-no-picture':
      return `${detail.file} is no PNG, JPEG or WebP, whatever its name says`;
    case 'no-part-id':
      return 'the part has no id, and partId.required is set';
    case 'unknown-part':
      return `the part id '${detail.partId}' does not match partId.pattern: an unknown part`;
    case 'cloud-silent':
      return 'the cloud has not said yet what the model takes';
    case 'given-up':
      return 'the line could not keep up: the frame was given up for a newer one';
    case 'no-score':
      return "the model's score is no number: someone has to look at the part";
    case 'station-ended':
      return 'the station ended before the part was judged again';
    case 'too-late':
      return `no verdict within ${detail.deadlineMs} ms: the frame was in ${detail.stage}`;
    case 'unsure':
      return `most likely ${detail.label} with ${detail.probability.toFixed(2)}, below sureFrom ${detail.sureFrom}`;
  }
}
