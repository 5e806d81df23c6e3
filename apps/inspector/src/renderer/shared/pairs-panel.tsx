// Names and values as a panel of two columns.

interface Props {
  readonly title: string;
  readonly rows: readonly (readonly [string, string])[];
}

export function PairsPanel({ title, rows }: Props) {
  return (
    <section className="panel" aria-label={title}>
      <h2>{title}</h2>
      <dl className="pairs">
        {rows.map(([name, value]) => (
          <div key={name} className="pair">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
