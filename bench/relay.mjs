// A slow connection in user space: node relay.mjs DELAY_MS FROM=TO … Each FROM and TO is ADDRESS:PORT. Every byte arrives
// DELAY_MS later, in both directions, with unchanged throughput. (Not every kernel has netem.)
import { connect, createServer } from 'node:net';

const [delay, ...pairs] = process.argv.slice(2);
const wait = Number(delay);

const pass = (from, to) => {
  from.on('data', (chunk) => {
    setTimeout(() => {
      if (!to.destroyed && !to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    }, wait);
  });
  from.on('end', () => setTimeout(() => to.end(), wait));
  from.on('error', () => to.destroy());
  from.on('close', () => setTimeout(() => to.destroy(), wait));
};
const split = (text) => {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
};
let left = pairs.length;
for (const pair of pairs) {
  const [from, to] = pair.split('=').map(split);
  createServer({ noDelay: true }, (client) => {
    const host = connect({ ...to, noDelay: true });
    pass(client, host);
    pass(host, client);
  }).listen(from, () => {
    if (--left === 0) console.log('ready');
  });
}
