// Pieces in output order -> the same with copies as wide as old and new bytes are equal: the name in front of a tensor that did
// not change did not change either, and is no text then.
import type { ByteReader } from '../byte-reader.ts';
import type { BaseRange } from '../format/operations.ts';
import type { GapPiece, Piece, TensorPiece } from './pieces.ts';

/** What is looked at on each side at a time. */
const GLANCE_BYTES = 4096;

export interface WidenedPieces {
  readonly pieces: readonly Piece[];
  /** What the copies took of the base besides tensors. */
  readonly taken: readonly BaseRange[];
}

export async function widenCopies(
  pieces: readonly Piece[],
  readers: { readonly base: ByteReader; readonly target: ByteReader },
): Promise<WidenedPieces> {
  const widened = [...pieces];
  const taken: BaseRange[] = [];
  for (const [at, piece] of widened.entries()) {
    if (piece.kind !== 'tensor' || piece.match?.by !== 'bytes') continue;
    const [before, after] = [gapOf(widened[at - 1], piece), gapOf(widened[at + 1], piece)];
    const { place: from } = piece.match.old;
    const to = from + piece.tensor.bytes;
    const less = before === null ? 0 : await equalBytes(readers, { from, to: piece.tensor.place }, before.bytes, -1);
    const end = piece.tensor.place + piece.tensor.bytes;
    const more = after === null ? 0 : await equalBytes(readers, { from: to, to: end }, after.bytes, 1);
    if (before !== null) widened[at - 1] = { ...before, bytes: before.bytes - less };
    if (after !== null) widened[at + 1] = { ...after, place: after.place + more, bytes: after.bytes - more };
    widened[at] = wider(piece, piece.match.old.place, less, more);
    if (less > 0) taken.push({ offset: from - less, bytes: less });
    if (more > 0) taken.push({ offset: to, bytes: more });
  }
  return { pieces: widened.filter((piece) => piece.kind === 'tensor' || piece.bytes > 0), taken };
}

function gapOf(piece: Piece | undefined, { file }: TensorPiece): GapPiece | null {
  return piece?.kind === 'gap' && piece.file === file ? piece : null;
}

function wider({ tensor, match, ...piece }: TensorPiece, from: number, less: number, more: number): TensorPiece {
  const wide = { ...tensor, place: tensor.place - less, bytes: tensor.bytes + less + more };
  return {
    ...piece,
    tensor: wide,
    match: match === null ? null : { ...match, old: { ...match.old, place: from - less } },
  };
}

/** From a place in the base and one in the target on, or back. */
async function equalBytes(
  { base, target }: { readonly base: ByteReader; readonly target: ByteReader },
  { from, to }: { readonly from: number; readonly to: number },
  most: number,
  step: 1 | -1,
): Promise<number> {
  const room = Math.min(most, step === 1 ? base.byteLength - from : from);
  for (let done = 0; done < room; done += GLANCE_BYTES) {
    const bytes = Math.min(GLANCE_BYTES, room - done);
    const shift = step === 1 ? done : -done - bytes;
    const [old, fresh] = [await base.read(from + shift, bytes), await target.read(to + shift, bytes)];
    for (let at = 0; at < bytes; at++) {
      const byte = step === 1 ? at : bytes - 1 - at;
      if (old[byte] !== fresh[byte]) return done + at;
    }
  }
  return room;
}
