// What somebody types -> the nodes that it means: by name, operator, or shape.
import type { CutNode } from '@kerf/bridge';

/** Positions of nodes that have every word, in name, operator, shape, dtype or an output's name; x and * separate sizes too. */
export function searchNodes(nodes: readonly CutNode[], text: string): number[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const wanted = words.map((word) => ({ word, sizes: word.replaceAll(/(?<=[\d?])[x*,](?=[\d?])/g, '×') }));
  return nodes.flatMap(({ name, opType, shape, dtype, outputs }, position) => {
    const all = [name, opType, shape ?? '', dtype ?? '', ...outputs].join('\n').toLowerCase();
    return wanted.every(({ word, sizes }) => all.includes(word) || all.includes(sizes)) ? [position] : [];
  });
}
