// Cuts, codecs and rates -> names for people.
import type { CutRow } from '@kerf/bridge';
import type { Translate } from '../i18n/messages.tsx';

const MAX_NAME = 40;

export function rowName({ placement, crossing }: Pick<CutRow, 'placement' | 'crossing'>, t: Translate): string {
  if (placement !== 'split') return t(`cut.row.${placement}`);
  // Cuts beside one another often share their first tensor.
  const [name = '', second] = crossing.map(shortName);
  if (second === undefined) return t('cut.row.split', { name });
  return crossing.length === 2
    ? t('cut.row.two', { name, second })
    : t('cut.row.more', { name, second, more: crossing.length - 2 });
}

/** The cut behind a route where the plan has it; the route's own name else. */
export function routeName(route: string, rows: readonly CutRow[], t: Translate): string {
  const row = rows.find((each) => each.route === route);
  if (row !== undefined) return rowName(row, t);
  return route === 'edge' || route === 'cloud' ? t(`cut.row.${route}`) : route;
}

/** Both ends of a long name: models tell their nodes apart there. */
export function shortName(name: string): string {
  return name.length <= MAX_NAME ? name : `${name.slice(0, 12)}…${name.slice(-(MAX_NAME - 13))}`;
}

export function codecName(codec: string, t: Translate): string {
  // What crosses may be coded each in its own way.
  const parts = codec.split('+').map((part) => (part === 'raw' || part === 'lossless' ? t(`cut.codec.${part}`) : part));
  return parts.join(' + ');
}

/** For a shell: quoted where it has to be. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What `--at` takes: names with commas between, or a JSON array where a name holds one. */
export function atOption(crossing: readonly string[]): string {
  const isPlain = crossing.every((name) => !/[,[\]"]/.test(name) && name.trim() === name && name !== '');
  return shellWord(isPlain ? crossing.join(',') : JSON.stringify(crossing));
}
