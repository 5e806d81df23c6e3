// What crosses -> what would come back from its levels, without coding them.
import { float32Tensor, type LevelTable, reconstructLevels, type Tensor, type TensorMap } from '@kerf/protocol';
import { levelsOf } from './finish-table.ts';
import { countNonFinite } from './non-finite.ts';

/** Tensors as their levels show them; those that are not finite cross as they are. */
export function throughLevels(crossing: TensorMap, tables: ReadonlyMap<string, LevelTable>): Map<string, Tensor> {
  const replaced = new Map<string, Tensor>();
  for (const [name, table] of tables) {
    const tensor = crossing.get(name);
    if (tensor === undefined || countNonFinite(tensor) > 0) continue;
    const { shape, levels } = levelsOf(tensor, table);
    replaced.set(name, float32Tensor(shape, reconstructLevels(levels, shape, table)));
  }
  return replaced;
}
