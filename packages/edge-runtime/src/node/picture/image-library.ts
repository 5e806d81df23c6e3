// The library that codes pictures, loaded with the first of them: finding its native part takes longer than many a command.
import { createRequire } from 'node:module';
import type * as napiImage from '@napi-rs/image';

type ImageLibrary = typeof napiImage;

let library: ImageLibrary | null = null;

export function imageLibrary(): ImageLibrary {
  library ??= createRequire(import.meta.url)('@napi-rs/image') as ImageLibrary;
  return library;
}
