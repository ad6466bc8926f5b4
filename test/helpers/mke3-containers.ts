import type { JsonObject } from '../../src/core/json.ts';
import { containers as containerList, type Container } from '../../src/facts/container.ts';

interface Wanted {
  image?: string;
  labels?: JsonObject;
  volumes?: string[];
}
/** A container of MKE 3 in the format of `docker inspect`. */
export const inspected = (
  name: string,
  { image, labels, volumes = [] }: Wanted = {},
): JsonObject => ({
  ...{ Id: name, Name: `/${name}`, Image: 'sha256:0', State: { Status: 'running', Running: true } },
  Config: { Image: image ?? `mirantis/${name}:3.7.16`, Labels: labels ?? {} },
  HostConfig: { RestartPolicy: { Name: 'always' } },
  Mounts: volumes.map((one) => ({ Type: 'volume', Name: one, Destination: `/${one}` })),
});

export const parsed = (...all: JsonObject[]): Container[] =>
  containerList.parse({ code: 0, stdout: JSON.stringify(all), stderr: '' }, '[]', '[]');
