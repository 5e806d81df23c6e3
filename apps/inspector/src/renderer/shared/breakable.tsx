// Text that may hold addresses, paths or names of tensors -> the same, which a narrow column breaks between their parts.
import { Fragment } from 'react';

/** Behind a slash that ends a part, behind a low line, and before a dot that no digit follows. */
const BETWEEN_PARTS = /(?<=[^/\s]\/)(?=[^/\s])|(?<=\w_)(?=\w)|(?<=\w)(?=\.[a-z])/i;

export function Breakable({ text }: { readonly text: string }) {
  return text.split(BETWEEN_PARTS).map((piece, at) => (
    <Fragment key={at}>
      {at > 0 && <wbr />}
      {piece}
    </Fragment>
  ));
}
