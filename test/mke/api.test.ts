import { afterAll, beforeAll, expect, it } from 'vitest';
import type { HttpRequest } from '../../src/core/action.ts';
import { selfSigned } from '../../src/lab/certificate.ts';
import { LAB_ADMIN } from '../../src/lab/mke3-answers.ts';
import { Mke3Api } from '../../src/lab/mke3-api.ts';
import { Mke3Client } from '../../src/mke/api.ts';
import { sendHttp } from '../../src/transport/http.ts';

const certificate = selfSigned(['127.0.0.1'], []);
let api: Mke3Api;
let sent: string[];

beforeAll(async () => {
  api = await Mke3Api.start({ certificate, toml: '', nodes: () => [], isUp: () => true });
});
afterAll(() => api.stop());

const client = (password = LAB_ADMIN.password): Mke3Client =>
  new Mke3Client(
    { ...LAB_ADMIN, password, url: `https://${api.address}`, ca: certificate.cert },
    (request: HttpRequest) => {
      sent.push(new URL(request.url).pathname);
      return sendHttp(request);
    },
  );
const logins = () => sent.filter((path) => path === '/auth/login').length;
const podsOf = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => client().pods(`w${String(index)}`)));

it('uses one session for 50 concurrent requests', async () => {
  sent = [];
  expect(await podsOf(50)).toHaveLength(50);
  expect(logins()).toBe(1);
});

it('starts one new session after MKE 3 has ended the old one', async () => {
  await podsOf(1);
  // Other programs of the same user start ten sessions, so MKE 3 ends the oldest.
  for (let count = 0; count < 10; count++)
    await sendHttp({
      method: 'POST',
      url: `https://${api.address}/auth/login`,
      body: JSON.stringify(LAB_ADMIN),
      ca: certificate.cert,
      timeoutMs: 10_000,
    });
  sent = [];
  expect(await podsOf(20)).toHaveLength(20);
  expect(logins()).toBe(1);
});

it('does not cache a failed login', async () => {
  for (let attempt = 1; attempt <= 2; attempt++) {
    sent = [];
    await expect(client('wrong').pods('w1')).rejects.toThrow('rejected the login of "admin"');
    expect(logins()).toBe(1);
  }
});
