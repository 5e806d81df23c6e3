// Measured segments, in any order -> a table of cuts in the order of the model, which grows while it is looked at.
import type { MeasuredSegment } from './job.ts';

/** Rows beyond this would only be scrolled past; the profile holds all. */
const MAX_ROWS = 200;
/** Of a cut with many tensors. */
const NAMES_SHOWN = 2;
const HIGHLIGHT_MS = 1500;

interface Row {
  readonly element: HTMLTableRowElement;
  readonly place: number;
  readonly head: HTMLTableCellElement;
  readonly tail: HTMLTableCellElement;
}

export class CutsTable {
  readonly #body: HTMLElement;
  readonly #rows = new Map<string, Row>();

  constructor(body: HTMLElement) {
    this.#body = body;
  }

  show(segment: MeasuredSegment): void {
    const key = JSON.stringify(segment.tensors);
    const row = this.#rows.get(key) ?? this.#insert(key, segment);
    if (row === null) return;
    row[segment.side].textContent = milliseconds(segment.ms);
    row.element.classList.add('new');
    setTimeout(() => row.element.classList.remove('new'), HIGHLIGHT_MS);
  }

  #insert(key: string, segment: MeasuredSegment): Row | null {
    if (this.#rows.size >= MAX_ROWS) return null;
    const element = document.createElement('tr');
    const name = document.createElement('th');
    name.scope = 'row';
    name.textContent = cutName(segment.tensors);
    const place = segment.headNodes ?? segment.totalNodes;
    const cells = [percent(place, segment.totalNodes), '…', '…'].map((text) => {
      const cell = document.createElement('td');
      cell.textContent = text;
      return cell;
    }) as [HTMLTableCellElement, HTMLTableCellElement, HTMLTableCellElement];
    element.append(name, ...cells);
    const row = { element, place, head: cells[1], tail: cells[2] };
    const next = [...this.#rows.values()].filter((other) => other.place > place).sort((a, b) => a.place - b.place)[0];
    this.#body.insertBefore(element, next?.element ?? null);
    this.#rows.set(key, row);
    return row;
  }
}

/** Two digits behind the point below ten, as long as they say something. */
export function milliseconds(ms: number): string {
  if (ms >= 100) return `${ms.toFixed(0)} ms`;
  return `${ms.toFixed(ms >= 10 ? 1 : 2)} ms`;
}

function cutName(tensors: readonly string[]): string {
  const rest = tensors.length - NAMES_SHOWN;
  const shown = tensors.slice(0, NAMES_SHOWN).map((name) => (name.length > 80 ? `${name.slice(0, 79)}…` : name));
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '' : `${Math.round((100 * part) / whole)} %`;
}
