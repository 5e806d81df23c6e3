// Where a part ran -> in the user's language, with the name of its route where it has one of its own.
import type { ResultRecord } from '@kerf/edge-runtime';
import type { Translate } from '../i18n/messages.tsx';

export function sayPlace({ placement, route }: Pick<ResultRecord, 'placement' | 'route'>, t: Translate): string {
  const place = t(`placement.${placement}`);
  return route === placement ? place : `${place} (${route})`;
}
