// Why something is as it is where no person has said so, as plain data.
import { withoutFolders } from './without-folders.ts';

/**
 * A kind that screens have words for, and values for them. A name says the unit: `Ms`, `Bytes`, `Share` (of 1). `ending` and
 * `message` are quoted as they are. Screens that do not know the kind show the English beside it.
 */
export type CauseView = { readonly kind: string; readonly [value: string]: string | number };

/** @param known folders of the device, which nobody but its log is told */
export function causeView(cause: CauseView | null | undefined, known: readonly string[] = []): CauseView | null {
  if (cause === null || cause === undefined) return null;
  const shown = Object.entries(cause).map(([name, value]) => [
    name,
    typeof value === 'string' ? withoutFolders(value, known) : value,
  ]);
  return Object.fromEntries(shown) as CauseView;
}
