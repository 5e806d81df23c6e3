// A file with its tensors -> groups of tensors with a hash each, so that two releases can be compared part by part.
import type { SourceFile, TensorRange } from '../encode/source-files.ts';
import type { MakeHasher } from '../hash.ts';
import { MAX_TENSOR_GROUPS } from './limits.ts';
import type { TensorGroup } from './release-manifest.ts';

const PIECE_BYTES = 4 * 1024 * 1024;
const NAME_CHARACTERS = 64;

/**
 * Groups by what stands before the first `.`, `/` or `:` of a tensor's name. Of more groups than a manifest may hold,
 * the last one takes all that are left.
 */
export async function tensorGroups(file: SourceFile, makeHasher: MakeHasher): Promise<TensorGroup[]> {
  const byName = new Map<string, TensorRange[]>();
  for (const tensor of file.tensors) {
    const group = groupOf(tensor.name);
    const name = byName.has(group) || byName.size < MAX_TENSOR_GROUPS - 1 ? group : 'others';
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [tensor]);
    else known.push(tensor);
  }
  const groups: TensorGroup[] = [];
  for (const [name, tensors] of byName) {
    const hasher = makeHasher();
    let bytes = 0;
    for (const tensor of tensors) {
      bytes += tensor.bytes;
      for (let at = 0; at < tensor.bytes; at += PIECE_BYTES) {
        hasher.update(await file.reader.read(tensor.offset + at, Math.min(PIECE_BYTES, tensor.bytes - at)));
      }
    }
    groups.push({ name, tensors: tensors.length, bytes, sha256: hasher.hex() });
  }
  return groups;
}

function groupOf(name: string): string {
  const [first = ''] = name.split(/[./:]/, 1);
  return first === '' ? 'unnamed' : first.slice(0, NAME_CHARACTERS);
}
