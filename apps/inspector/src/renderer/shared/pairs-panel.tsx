// Names and values in two columns, on a panel or within one.
import { Breakable } from './breakable.tsx';

export type Pair = readonly [name: string, value: string];

interface Props {
  readonly title: string;
  readonly rows: readonly Pair[];
}

export function PairsPanel({ title, rows }: Props) {
  return (
    <section className="panel" aria-label={title}>
      <h2>{title}</h2>
      <Pairs rows={rows} />
    </section>
  );
}

export function Pairs({ rows, className = '' }: { readonly rows: readonly Pair[]; readonly className?: string }) {
  return (
    <dl className={`pairs ${className}`}>
      {rows.map(([name, value]) => (
        <div key={name} className="pair">
          <dt>{name}</dt>
          <dd>
            <Breakable text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
