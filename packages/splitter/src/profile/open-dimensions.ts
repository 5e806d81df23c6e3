// A model's inputs, sizes for their symbols and sample inputs -> nothing, or an error that names every size still open.
import { type ModelGraph, shorten } from '@kerf/onnx';
import { type Dimension, describeTensor, KerfError, type TensorMap } from '@kerf/protocol';
import { type DimensionBindings, mergeSpec } from '../value-types.ts';

/**
 * Costs depend on sizes, so none is guessed.
 * @throws {KerfError} INVALID_ARGUMENT naming every open dimension of every input, and how to bind it.
 */
export function checkSizesBound(graph: ModelGraph, dims: DimensionBindings, given: TensorMap): void {
  const open = graph.inputs.filter((name) => !given.has(name)).flatMap((name) => openSizes(graph, name, dims));
  if (open.length === 0) return;
  const symbols = [...new Set(open.flatMap(({ symbols }) => symbols))];
  const bind = symbols.map((symbol) => `--dim ${shellWord(symbol)}=N`).join(' ');
  const hint = open.some(({ isNameless }) => isNameless)
    ? `${bind === '' ? '' : `bind the named ones with ${bind}; `}a size without a name is bound by a sample, --input FILE`
    : `bind them with ${bind}, or by a sample, --input FILE`;
  throw new KerfError(
    'INVALID_ARGUMENT',
    `costs depend on sizes that the model leaves open: ${open.map(({ text }) => text).join('; ')}; ` + hint,
    { details: { open: symbols } },
  );
}

interface OpenInput {
  readonly text: string;
  readonly symbols: readonly string[];
  /** Some size has no name, or the rank is unknown: only a sample binds it. */
  readonly isNameless: boolean;
}

function openSizes(graph: ModelGraph, name: string, dims: DimensionBindings): OpenInput[] {
  const spec = mergeSpec(graph, name, undefined);
  // A sequence or a map is refused for what it is.
  if (spec.dtype === null && graph.types.has(name)) return [];
  const shown = `input '${shorten(name)}' is ${describeTensor(spec)}`;
  if (spec.shape === null) return [{ text: `${shown} of unknown rank`, symbols: [], isNameless: true }];
  const isOpen = (size: Dimension): boolean =>
    size === null || (typeof size === 'string' && !Object.hasOwn(dims, size));
  const symbols = spec.shape.filter((size) => typeof size === 'string').filter(isOpen);
  const nameless = spec.shape.flatMap((size, axis) => (size === null ? [axis] : []));
  if (symbols.length === 0 && nameless.length === 0) return [];
  const missing = [
    ...symbols.map((symbol) => `'${shorten(symbol)}'`),
    ...nameless.map((axis) => `dimension ${axis} (no name)`),
  ];
  return [{ text: `${shown}, open: ${missing.join(', ')}`, symbols, isNameless: nameless.length > 0 }];
}

/** As a shell takes it. */
function shellWord(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
