// What codes planes of levels: the seam between the walk over a table and the two coders, TypeScript and WebAssembly.
//
// Both make the same bytes (test/codec/level-machine.test.ts). WebAssembly takes about half the time; TypeScript is what
// there is where a page may not compile, and what a reader should read.
import { codePlane, type PlanePlace, type PlaneStore, summarise } from './level-plane.ts';
import { RangeCoder } from './range-coder.ts';

/** What a machine must hold for one tensor. */
export interface MachineNeeds {
  /** Bytes of all levels. */
  readonly levels: number;
  /** Bytes of all padded planes, with an empty one at the end. */
  readonly padded: number;
  /** Golden classes in padded planes; null without. */
  readonly golden: Uint8Array | null;
  /** Where the models start. */
  readonly states: Int32Array;
  /** Whether what the models learn is left in `states`. Only the reference can. */
  readonly learns: boolean;
  /** Where the models stop counting. */
  readonly limit: number;
  /** Where groups of magnitudes begin; null: magnitudes are told one by one. */
  readonly edges: Int16Array | null;
  /** Takes how often each group was seen; with `learns` only. */
  readonly counts: Int32Array | null;
}

/** Codes the planes of one tensor. Levels are zeros at first: an encoder sets them, a decoder reads them at the end. */
export interface LevelMachine {
  /** A view, valid until the next call. */
  readonly levels: Uint8Array;
  encoder(expectedBytes: number): RangeCoder;
  decoder(): RangeCoder;
  /** @returns whether anything of the plane is unusual */
  codePlane(coder: RangeCoder, place: PlanePlace): boolean;
  /** @see summarise */
  summarise(from: number, rows: number, columns: number): void;
  /** Ends the use of the machine and of its coders. */
  release(): void;
}

export type MachineMaker = (needs: MachineNeeds) => LevelMachine;

/** The reference. */
export function typescriptMachine(needs: MachineNeeds): LevelMachine {
  const { levels, padded, golden, states, learns, limit, edges, counts } = needs;
  const near = new Uint8Array(padded);
  const store: PlaneStore = {
    levels: new Uint8Array(levels),
    near,
    far: new Uint8Array(padded),
    summaries: new Uint8Array(padded),
    golden: golden ?? near,
    states: learns ? states : states.slice(),
    limit,
    edges,
    counts,
  };
  return {
    levels: store.levels,
    encoder: (expectedBytes) => RangeCoder.encoder(expectedBytes),
    decoder: () => RangeCoder.decoder(),
    codePlane: (coder, place) => codePlane(coder, store, place),
    summarise: (from, rows, columns) => summarise(store, from, rows, columns),
    release: () => {},
  };
}
