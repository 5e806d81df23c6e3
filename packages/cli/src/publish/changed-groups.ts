// Two releases -> the groups of tensors that differ.
import { counterpartOf, type ReleaseFile, type ReleaseManifest, type TensorGroup } from '@kerf/delta-sync';

export interface GroupChange {
  readonly file: string;
  readonly group: string;
  readonly change: 'new' | 'changed' | 'gone';
  readonly tensors: number;
  readonly bytes: number;
}

/** Groups of a file that was renamed are compared with those that it had under its old name. */
export function changedGroups(
  before: Pick<ReleaseManifest, 'files'>,
  after: Pick<ReleaseManifest, 'files'>,
): GroupChange[] {
  const changes: GroupChange[] = [];
  const note = (file: string, change: GroupChange['change'], { name, tensors, bytes }: TensorGroup): void =>
    void changes.push({ file, group: name, change, tensors, bytes });
  const found = new Set<ReleaseFile>();
  for (const file of after.files) {
    const old = counterpartOf(file, after.files, before);
    if (old !== undefined) found.add(old);
    const left = new Map(old?.groups.map((group) => [group.name, group]));
    for (const group of file.groups) {
      const was = left.get(group.name);
      left.delete(group.name);
      if (was?.sha256 !== group.sha256) note(file.name, was === undefined ? 'new' : 'changed', group);
    }
    for (const group of left.values()) note(file.name, 'gone', group);
  }
  for (const file of before.files)
    if (!found.has(file)) for (const group of file.groups) note(file.name, 'gone', group);
  return changes;
}
