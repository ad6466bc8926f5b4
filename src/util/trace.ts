import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Topics of `--debug`. */
export const topics = ['ssh', 'template', 'vars', 'journal', 'errors'] as const;
export type Topic = (typeof topics)[number];

const nameOf = (topic: Topic) => `runner:${topic}`;
const channels = new Map(topics.map((topic) => [topic, channel(nameOf(topic))]));

/** Sends a debug message to the subscribers. The text is built only if there are any, and can contain secrets. */
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
