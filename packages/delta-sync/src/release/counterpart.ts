// A file of a release -> the one of an earlier release that it is a version of.
import type { ReleaseFile, ReleaseManifest } from './release-manifest.ts';

type Named = Pick<ReleaseFile, 'name' | 'role'>;

/**
 * The file of its name; else the one of its role that has left, where both are the only ones: a model is often renamed.
 * @param files of its release
 */
export function counterpartOf(
  { name, role }: Named,
  files: readonly Named[],
  before: Pick<ReleaseManifest, 'files'>,
): ReleaseFile | undefined {
  const same = before.files.find((file) => file.name === name);
  if (same !== undefined) return same;
  const hasName = (list: readonly Named[], wanted: string): boolean => list.some((file) => file.name === wanted);
  const came = files.filter((file) => file.role === role && !hasName(before.files, file.name));
  const left = before.files.filter((file) => file.role === role && !hasName(files, file.name));
  return came.length === 1 && left.length === 1 ? left[0] : undefined;
}
