// How much garbage V8 lets lie before it walks the heap, for processes that frames pass through.
import { setFlagsFromString } from 'node:v8';

/** Four times what lives: the most that V8 lets a heap grow by itself when it fills fast. */
const GROWING_PERCENT = 300;

/**
 * Buffers of frames lie outside the heap, and V8 counts them against a limit that it sets by what lives inside: 16 MB of them, a
 * dozen frames, and it walks the whole heap again. They do not count as the haste for which it would let the heap grow.
 * For the first lines of a process; its threads take part.
 */
export function growHeapFreely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
}
