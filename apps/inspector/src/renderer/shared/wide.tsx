// A table that may be wider than its place: scrolled by finger, wheel and keyboard alike.
import type { ReactNode } from 'react';

export function Wide({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <section className="wide" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
