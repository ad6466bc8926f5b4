import { describe, expect, it } from 'vitest';
import { kdd, specOf } from '../../helpers/mke3-config.ts';

describe('node ports of the ingress', () => {
  it.each([
    ['default range, off', '', { http: 33000, https: 33001 }],
    ['custom range, off', 'nodeport_range = "30000-32767"', { http: 30000, https: 30001 }],
    [
      'default range, on',
      '[cluster_config.ingress_controller]\nenabled = true',
      { http: 33000, https: 33001 },
    ],
  ])('%s', (_, text, wanted) => {
    expect(specOf(`${kdd}${text}\n`)['ingressController']?.['nodePorts']).toEqual(wanted);
  });
});

describe('node ports of the Gateway in 4.1', () => {
  const on = '[cluster_config.ingress_controller]\nenabled = true\n';
  it.each([
    ['default range, off', '', false, { http: 33000, https: 33001 }],
    ['custom range, off', 'nodeport_range = "30000-32767"', false, { http: 30000, https: 30001 }],
    ['default range, on', on, true, { http: 33002, https: 33003 }],
    [
      'default range, on, with further ports',
      `${on}ingress_exposed_ports = [{ name = "tcp", port = 31400, node_port = 33002 }]`,
      true,
      { http: 33003, https: 33004 },
    ],
  ])('%s', (_, text, enabled, wanted) => {
    const spec = specOf(`${kdd}${text}\n`, { target: '4.1' });
    expect(spec['gatewayMKEIngress']?.['nodePorts']).toEqual(wanted);
    expect(spec['ingressController']).toMatchObject({ enabled });
  });
});
