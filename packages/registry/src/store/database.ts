// The seam between the registry and its database: SQL that both engines understand, in transactions that run one at a time.

/** What a column can hold: JSON is text, times are milliseconds since 1970. */
export type SqlValue = string | number | Uint8Array | null;

export type Row = Readonly<Record<string, unknown>>;

export interface Sql {
  /**
   * Rows of one statement; for one that writes, what its `RETURNING` names.
   * @param text with `$1`, `$2`, ... for `values`, and no other dollar sign
   */
  all<R = Row>(text: string, values?: readonly SqlValue[]): Promise<R[]>;
}

export interface Database extends Sql {
  readonly engine: 'embedded' | 'postgresql';
  /**
   * Runs `work` alone: no other transaction, of this process or another, is between its first and its last statement.
   * All of it survives a crash or none of it. `work` waits for nothing but `sql`.
   * @throws {KerfError} STORE_FAILED, or what `work` throws, with nothing written.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Waits for what runs. */
  close(): Promise<void>;
}

/** The one row of a statement. */
export async function one<R = Row>(sql: Sql, text: string, values: readonly SqlValue[] = []): Promise<R | null> {
  const rows = await sql.all<R>(text, values);
  return rows[0] ?? null;
}
