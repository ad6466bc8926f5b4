// The program in the container `ucp-controller` of a real lab host: the MKE 3 API with the nodes of the engine.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { Mke3Api } from '../../mke3-api.ts';

const volume = '/var/lib/docker/volumes/ucp-controller-server-certs/_data';

function nodesOfEngine(): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    request({ socketPath: '/var/run/docker.sock', path: '/nodes', timeout: 5000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => {
        const nodes: unknown = JSON.parse(text);
        if (Array.isArray(nodes)) resolve(nodes);
        else reject(new Error(text));
      });
    })
      .once('error', reject)
      .end();
  });
}

await Mke3Api.start({
  certificate: {
    cert: readFileSync(`${volume}/cert.pem`, 'utf8'),
    key: readFileSync(`${volume}/key.pem`, 'utf8'),
  },
  toml: readFileSync('/opt/lab/mke3-config.toml', 'utf8'),
  nodes: nodesOfEngine,
  isUp: () => true,
  at: { address: '0.0.0.0', port: 443 },
});
