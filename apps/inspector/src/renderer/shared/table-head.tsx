// Names of columns -> the head of a table.

interface Props {
  readonly columns: readonly string[];
  /** Place of the first column of numbers, in a table of words; the others behind it are numbers too. */
  readonly numbersFrom?: number;
}

export function TableHead({ columns, numbersFrom = columns.length }: Props) {
  return (
    <thead>
      <tr>
        {columns.map((name, at) => (
          <th key={name} scope="col" className={at >= numbersFrom ? 'of-numbers' : undefined}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}
