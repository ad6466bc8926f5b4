import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';

/** What `--debug` can tell more about. */
export const topics = ['ssh', 'template', 'vars', 'journal', 'errors'] as const;
export type Topic = (typeof topics)[number];

const nameOf = (topic: Topic) => `runner:${topic}`;
const channels = new Map(topics.map((topic) => [topic, channel(nameOf(topic))]));

/** Says what goes on, for those who listen; the text is made only for them. It may hold secrets. */
export function trace(topic: Topic, text: () => string): void {
  const listeners = channels.get(topic);
  if (listeners?.hasSubscribers) listeners.publish(text());
}

/** Returns a function that ends the subscription. */
export function onTrace(topic: Topic, listener: (text: string) => void): () => void {
  const hear = (text: unknown): void => {
    listener(String(text));
  };
  subscribe(nameOf(topic), hear);
  return () => {
    unsubscribe(nameOf(topic), hear);
  };
}
