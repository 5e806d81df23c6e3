// What a screen asked for and does not get as things stand -> an error that knows why: kind and values for screens in their user's
// language, and English.
import { type ErrorCode, errorWithWhy, type KerfError } from '@kerf/protocol';

export type Refusal =
  | {
      readonly kind:
        | 'no-registry'
        | 'no-samples'
        | 'no-device'
        | 'no-known-parts'
        | 'no-cloud'
        | 'no-what-if'
        | 'not-staged'
        | 'one-way'
        | 'profile-named'
        | 'measuring'
        | 'replaying'
        | 'busy'
        | 'cut-changed'
        | 'thresholds-changed'
        | 'station-file-changed';
    }
  /** `file`: its name, or its place as the station file says it. */
  | { readonly kind: 'file-unreadable' | 'no-profile' | 'other-model' | 'session-gone'; readonly file: string }
  | { readonly kind: 'picture-too-large'; readonly file: string; readonly bytes: number };

const CODES: Readonly<Record<Refusal['kind'], ErrorCode>> = {
  'no-registry': 'CONFIG_INVALID',
  'no-samples': 'INVALID_ARGUMENT',
  'no-device': 'CONFIG_INVALID',
  'no-known-parts': 'CONFIG_INVALID',
  'no-cloud': 'NOT_FOUND',
  'no-what-if': 'CONFLICT',
  'not-staged': 'RELEASE_NOT_FOUND',
  'one-way': 'CONFLICT',
  'profile-named': 'CONFLICT',
  measuring: 'CONFLICT',
  replaying: 'CONFLICT',
  busy: 'CONFLICT',
  'cut-changed': 'CONFLICT',
  'thresholds-changed': 'CONFLICT',
  'station-file-changed': 'CONFIG_INVALID',
  'file-unreadable': 'FILE_NOT_FOUND',
  'no-profile': 'INVALID_ARGUMENT',
  'other-model': 'CONFIG_INVALID',
  'session-gone': 'FILE_NOT_FOUND',
  'picture-too-large': 'MESSAGE_TOO_LARGE',
};

export function refused(why: Refusal, cause?: unknown): KerfError {
  return errorWithWhy(CODES[why.kind], refusalText(why), why, { cause });
}

function refusalText(why: Refusal): string {
  switch (why.kind) {
    case 'no-registry':
      return 'the station file names no registry: set updates.registry';
    case 'no-samples':
      return "the station keeps no parts: add 'samples' to its file";
    case 'no-device':
      return 'this station runs a model that no update replaces: model.path names no device (kerf update init)';
    case 'no-known-parts':
      return 'the station file names no known parts: set updates.knownParts';
    case 'no-cloud':
      return 'this station asks no cloud: there is no link to test';
    case 'no-what-if':
      return 'there is no what-if yet: it needs the whole model and a profile of it';
    case 'not-staged':
      return 'that release is not staged: fetch it first';
    case 'one-way':
      return 'this station has one way for its frames: to move the cut, give it a chain (kerf chain) and start it again';
    case 'profile-named':
      return "the station file names the profile: make it with 'kerf profile' and start again";
    case 'measuring':
      return 'a measurement is under way';
    case 'replaying':
      return 'a session is being replayed: stop that first';
    case 'busy':
      return 'the station is busy with another step of an update: wait for it, or stop it';
    case 'cut-changed':
      return 'somebody else has moved the cut meanwhile: look at it and move it again';
    case 'thresholds-changed':
      return 'the thresholds were changed meanwhile: look at them and change them again';
    case 'station-file-changed':
      return 'the station file cannot be read any more: it was changed meanwhile';
    case 'file-unreadable':
      return `${why.file} is not there, or cannot be read; the station file names it`;
    case 'no-profile':
      return `${why.file} is no profile; 'kerf profile' makes one`;
    case 'other-model':
      return `model.source is not the model that was cut: that was ${why.file}, another file`;
    case 'session-gone':
      return `the session ${why.file} is not there any more`;
    case 'picture-too-large':
      return `${why.file} has ${why.bytes} bytes: take it from the folder`;
  }
}
