import { mke3_pods } from '../../../src/mke/modules/mke3_pods.ts';
import { containers } from '../../../src/facts/container.ts';
import { testModule } from '../../helpers/module-tester.ts';

const api = 'https://mke.example.com';
const container = (name: string, uid: string, running = true) => ({
  Name: `/k8s_POD_${name}_shop_${uid}_0`,
  Id: name,
  State: { Status: running ? 'running' : 'exited', Running: running },
  Config: {
    Labels: {
      'io.kubernetes.docker.type': 'podsandbox',
      'io.kubernetes.pod.name': name,
      'io.kubernetes.pod.namespace': 'shop',
      'io.kubernetes.pod.uid': uid,
    },
  },
});
const found = [
  container('web', 'u1'),
  container('static', 'hash-of-the-file'),
  container('ended', 'u2', false),
  container('lost', 'u3'),
  container('lost', 'u3'),
];
const facts = {
  'container.list ["docker"] ["label=io.kubernetes.docker.type"]': containers.parse(
    { code: 0, stdout: JSON.stringify(found), stderr: '' },
    '["docker"]',
    '[]',
  ),
};
const answer = (body: unknown) => ({ status: 200, headers: {}, body: JSON.stringify(body) });
const list = `GET ${api}/api/v1/pods?fieldSelector=spec.nodeName%3Dw1`;
const responses = {
  [`POST ${api}/auth/login`]: answer({ auth_token: 't' }),
  [list]: answer({
    items: [
      { metadata: { uid: 'u1' } },
      { metadata: { uid: 'm1', annotations: { 'kubernetes.io/config.hash': 'hash-of-the-file' } } },
    ],
  }),
};
const args = { url: api, username: 'admin', password: 'hush', node: 'w1' };

testModule(mke3_pods, {
  settled: [
    {
      title: 'lists running pods that are not in the API, static pods by the hash of their file',
      ...{ args, facts, responses },
      result: { phantoms: [{ pod: 'shop/lost', uid: 'u3' }] },
    },
    {
      title: 'accepts phantom pods that were found earlier',
      ...{ args: { ...args, known: ['u3'] }, facts, responses },
      result: { phantoms: [{ pod: 'shop/lost', uid: 'u3' }] },
    },
  ],
  refused: [
    {
      title: 'new phantom pods',
      ...{ args: { ...args, known: ['u2'] }, facts, responses },
      code: 'TASK_FAILED',
    },
    {
      title: 'a response that is not a list of pods',
      ...{ args, facts, responses: { ...responses, [list]: answer({ kind: 'Status' }) } },
      code: 'TASK_FAILED',
    },
  ],
});
