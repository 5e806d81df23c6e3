// A list of any length whose rows are buttons: only what is in sight is in the document, a million rows scroll like ten.
import { type CSSProperties, type ReactNode, useContext, useEffect, useLayoutEffect, useRef } from 'react';
import { rowsToScroll, scrolledTo, useRowWindow } from './row-window.ts';
import { TargetContext } from './target.ts';

interface Props {
  /** What the rows are, as a class. */
  readonly kind: string;
  readonly count: number;
  /** At least; gloves may need more. */
  readonly rowPx: number;
  /** -1 for none. */
  readonly chosen: number;
  /** Scrolls to the chosen row whenever it is another. @default false */
  readonly follows?: boolean;
  /** How many rows have come above all others so far: what is in sight stays where it is. @default none */
  readonly cameAbove?: number;
  readonly keyOf: (index: number) => string | number;
  /** Rows that stand out. */
  readonly isFlagged?: (index: number) => boolean;
  readonly onChoose: (index: number) => void;
  /** The last row is in sight; null where there is nothing behind it. */
  readonly onEnd?: (() => void) | null;
  readonly children: (index: number) => ReactNode;
}

export function RowList(props: Props) {
  const { kind, count, chosen, follows = false, cameAbove = 0, keyOf, isFlagged, onChoose, onEnd } = props;
  const rowPx = Math.max(props.rowPx, useContext(TargetContext));
  const scroller = useRef<HTMLDivElement>(null);
  const { first, end, topPx, heightPx } = useRowWindow(scroller, count, rowPx);
  useEffect(() => {
    if (end >= count) onEnd?.();
  }, [end, count, onEnd]);
  useEffect(() => {
    const { current } = scroller;
    if (current === null || !follows || chosen < 0 || chosen >= count) return;
    current.scrollTop = scrolledTo(chosen, count, rowPx, current.scrollTop, current.clientHeight);
  }, [follows, chosen, count, rowPx]);
  const hadAbove = useRef(cameAbove);
  useLayoutEffect(() => {
    const { current } = scroller;
    if (current !== null && current.scrollTop > 0) {
      current.scrollTop += rowsToScroll(cameAbove - hadAbove.current, count, rowPx, current.clientHeight);
    }
    hadAbove.current = cameAbove;
  }, [cameAbove]);
  const indexes = Array.from({ length: Math.max(0, end - first) }, (_, at) => first + at);
  return (
    <div ref={scroller} className={`rows ${kind}`} tabIndex={-1}>
      <ul style={{ height: heightPx, '--row': `${rowPx}px` } as CSSProperties}>
        {indexes.map((index) => (
          <li key={keyOf(index)} style={{ transform: `translateY(${topPx + (index - first) * rowPx}px)` }}>
            <button
              type="button"
              aria-current={index === chosen}
              data-flagged={isFlagged?.(index)}
              onClick={() => onChoose(index)}
            >
              {props.children(index)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
