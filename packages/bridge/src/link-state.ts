// The state of a bridge, and who hears of it: at once, and at each change.
import type { BridgeState } from './contract.ts';

export class LinkState {
  private readonly listeners = new Set<(state: BridgeState) => void>();
  private state: BridgeState = { kind: 'connecting' };

  /** The returned function ends it. */
  add(listener: (state: BridgeState) => void): () => void {
    this.listeners.add(listener);
    listener(this.state);
    return () => this.listeners.delete(listener);
  }

  tell(state: BridgeState): void {
    this.state = state;
    for (const listener of this.listeners) listener(state);
  }

  clear(): void {
    this.listeners.clear();
  }
}
