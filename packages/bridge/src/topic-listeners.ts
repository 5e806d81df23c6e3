// Who listens to which topic on one side of a bridge; the other side hears of a topic's first listener and of its last.
import type { TopicName, Topics } from './contract.ts';

export class TopicListeners {
  private readonly sets = new Map<TopicName, Set<(value: never) => void>>();
  private readonly say: (kind: 'subscribe' | 'unsubscribe', topic: TopicName) => void;

  constructor(say: (kind: 'subscribe' | 'unsubscribe', topic: TopicName) => void) {
    this.say = say;
  }

  get topics(): Iterable<TopicName> {
    return this.sets.keys();
  }

  /** The returned function ends it. */
  add<T extends TopicName>(topic: T, listener: (value: Topics[T]) => void): () => void {
    const known = this.sets.get(topic);
    const set = known ?? new Set();
    set.add(listener as (value: never) => void);
    if (known === undefined) {
      this.sets.set(topic, set);
      this.say('subscribe', topic);
    }
    return () => {
      set.delete(listener as (value: never) => void);
      if (set.size > 0 || this.sets.get(topic) !== set) return;
      this.sets.delete(topic);
      this.say('unsubscribe', topic);
    };
  }

  tell(topic: TopicName, value: unknown): void {
    for (const listener of this.sets.get(topic) ?? []) listener(value as never);
  }

  clear(): void {
    this.sets.clear();
  }
}
