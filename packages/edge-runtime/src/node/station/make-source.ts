// The source of a station file -> the source.
import { resolve } from 'node:path';
import type { SourceSetup } from '../../capture/options.ts';
import type { Source } from '../../capture/source.ts';
import type { SourceConfig } from '../../capture/source-config.ts';
import { folderSource } from '../capture/folder-source.ts';

/** @param folder what relative paths are relative to. @throws {KerfError} INVALID_ARGUMENT. */
export function makeSource(
  config: SourceConfig,
  folder: string,
  setup: Omit<SourceSetup, 'name' | 'hasTrigger'>,
): Source {
  const own = { ...setup, name: config.name, hasTrigger: false };
  switch (config.kind) {
    case 'folder':
      return folderSource({ ...config, path: resolve(folder, config.path) }, own);
  }
}
