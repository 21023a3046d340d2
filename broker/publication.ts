import type { ForeignTopic, Identity } from './rights.ts';
import type { Topic } from './topics.ts';

/** A message that passed the front door: its sender is known and has the right to its topic. */
export interface Publication {
  readonly identity: Identity;
  readonly clientId: string;
  readonly topic: Topic | ForeignTopic;
  /** May share its memory with neighbours: copy what is kept for long. */
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  /** As the sender set it. Nothing a client sends is retained: retained state is the gateway's. */
  readonly retain: boolean;
  readonly will: boolean;
}
