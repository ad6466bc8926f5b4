import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { Mke3Answers, type ApiState } from './mke3-answers.ts';

interface ApiOptions extends Pick<ApiState, 'nodes' | 'kubernetes' | 'isUp'> {
  certificate: { cert: string; key: string };
  toml: string;
  /** Address to listen on. Default: a free port on the loopback interface. */
  at?: { address: string; port: number };
}

/** HTTPS server of the MKE 3 API stand-in, see Mke3Answers. */
export class Mke3Api {
  readonly #server: Server;
  port = 0;
  /** The MKE 3 configuration, which tests can change. */
  toml: string;

  private constructor(options: ApiOptions) {
    this.toml = options.toml;
    const { certificate, nodes, kubernetes, isUp } = options;
    const answers = new Mke3Answers({
      ...{ certificate: certificate.cert, toml: () => this.toml, nodes, kubernetes, isUp },
      token: randomUUID,
    });
    this.#server = createServer(certificate, (request, response) => {
      const { method = 'GET', url = '/', headers } = request;
      const asked = {
        ...{ method, url, authorization: headers.authorization ?? '' },
        body: () => readBody(request),
      };
      void answers.answer(asked).then(({ status, body, type }) => {
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        response.writeHead(status, { 'content-type': type ?? 'application/json' }).end(text);
      });
    });
  }

  static start(options: ApiOptions): Promise<Mke3Api> {
    const api = new Mke3Api(options);
    return new Promise((resolve, reject) => {
      api.#server.once('error', reject);
      const { address: host, port } = options.at ?? { address: '127.0.0.1', port: 0 };
      api.#server.listen(port, host, () => {
        const address = api.#server.address();
        if (typeof address === 'object' && address !== null) api.port = address.port;
        resolve(api);
      });
    });
  }

  get address(): string {
    return `127.0.0.1:${String(this.port)}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
