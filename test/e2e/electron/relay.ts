// Two transports -> one: what either says goes to the other, its end too.
import type { Transport } from '@kerf/protocol';

export function relay(left: Transport, right: Transport): void {
  for (const [from, to] of [
    [left, right],
    [right, left],
  ] as const) {
    from.start({ onMessage: (message) => to.send(message), onClose: ({ reason }) => to.close(1000, reason) });
  }
}
