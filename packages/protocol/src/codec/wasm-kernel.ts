// The bytes of the WebAssembly coder -> instances of it, each with memory of its own; null where none can be had.
//
// Compiling needs a page whose content security policy allows 'wasm-unsafe-eval', and an engine with SIMD. Everything
// here runs on one thread and to its end, so one instance at rest is enough.
import { levelCoderBytes } from './level-coder-bytes.ts';

const PAGE_BYTES = 65_536;
/** 1 GiB: what a tensor beyond that needs, the reference allocates piece by piece. */
const MAX_PAGES = 16_384;
/** An instance whose memory grew beyond this, 16 MiB, is not kept. */
const MAX_KEPT_PAGES = 256;

/** What wasm/level-coder.ts exports. Addresses and sizes in bytes. */
interface KernelCode {
  useTables(addresses: number): void;
  useStore(
    levels: number,
    near: number,
    far: number,
    summaries: number,
    golden: number,
    states: number,
    limit: number,
    edges: number,
  ): void;
  encodePlane(place: number): number;
  decodePlane(place: number): number;
  summarise(from: number, rows: number, columns: number): void;
  quantise(values: number, count: number, thresholds: number, thresholdCount: number, levels: number): void;
  sumAround(plane: number, rows: number, columns: number, to: number): void;
  restore(around: number, count: number, sources: number, sourceCount: number, weights: number, to: number): void;
}

export class Kernel {
  readonly memory: WebAssembly.Memory;
  readonly code: KernelCode;
  hasTables = false;
  private view: Int32Array;

  constructor(module: WebAssembly.Module, bytes: number) {
    this.memory = new WebAssembly.Memory({ initial: pagesOf(bytes), maximum: MAX_PAGES });
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory } });
    this.code = exports as unknown as KernelCode;
    this.view = new Int32Array(this.memory.buffer);
  }

  /** The memory as int32, whatever it has grown to. */
  readonly words = (): Int32Array => {
    if (this.view.buffer !== this.memory.buffer) this.view = new Int32Array(this.memory.buffer);
    return this.view;
  };

  /** @throws {RangeError} where the machine has no more memory. */
  reserve(bytes: number): void {
    const missing = pagesOf(bytes) - this.memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) this.memory.grow(missing);
  }
}

const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES);

/** Undefined: not tried. Null: cannot be had here. */
let compiled: WebAssembly.Module | null | undefined;
let idle: Kernel | null = null;

/** An instance with so much memory, whose contents are whatever they are; {@link giveBack} it. */
export function takeKernel(bytes: number): Kernel | null {
  compiled ??= compiled === undefined ? compileNow() : null;
  if (compiled === null) return null;
  try {
    const kernel = idle ?? new Kernel(compiled, bytes);
    idle = null;
    kernel.reserve(bytes);
    return kernel;
  } catch {
    // More memory than there is: for this tensor the reference has to do.
    return null;
  }
}

export function giveBack(kernel: Kernel): void {
  if (kernel.memory.buffer.byteLength <= MAX_KEPT_PAGES * PAGE_BYTES) idle = kernel;
}

/** Compiles where the engine prefers to. @returns whether WebAssembly codes from now on. */
export async function compileKernel(): Promise<boolean> {
  if (compiled === undefined) {
    try {
      compiled = await WebAssembly.compile(levelCoderBytes());
    } catch {
      compiled = null;
    }
  }
  return compiled !== null;
}

/** A page's main thread may refuse modules beyond a size; workers and Node do not. */
function compileNow(): WebAssembly.Module | null {
  try {
    return new WebAssembly.Module(levelCoderBytes());
  } catch {
    return null;
  }
}
