import { describe, expect, it } from 'vitest';
import { convert, kdd, specOf } from '../../helpers/mke3-config.ts';

describe('node ports of the ingress controller', () => {
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
      'default range, on, with additional ports',
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

describe('exposed ports', () => {
  const exposed = (...ports: string[]): string =>
    `${kdd}[cluster_config.ingress_controller]\nenabled = true\ningress_exposed_ports = [${ports.join(', ')}]\n`;
  const web = '{ name = "http2", port = 8080, target_port = 8080, node_port = 33010 }';
  const tcp = '{ name = "sql", port = 5432, node_port = 33011, protocol = "TCP" }';
  const udp = '{ name = "dns", port = 53, node_port = 33012, protocol = "UDP" }';

  it('are converted to HTTP, HTTPS, TCP and UDP node ports', () => {
    const spec = specOf(exposed(web, tcp, udp));
    expect(spec['ingressController']).toMatchObject({
      nodePorts: { http: 33010, https: 33001, tcp: { 5432: 33011 }, udp: { 53: 33012 } },
      ports: { http: 8080, https: 443 },
    });
  });

  it('are not assigned to the Gateway of 4.1', () => {
    const taken = '{ name = "dns", port = 53, node_port = 33002, protocol = "UDP" }';
    const spec = specOf(exposed(taken), { target: '4.1' });
    expect(spec['gatewayMKEIngress']?.['nodePorts']).toEqual({ http: 33003, https: 33004 });
    expect(spec['ingressController']?.['ports']).toEqual({ http: 80, https: 443 });
  });

  it('are reported if their node port is outside the range', () => {
    const narrow = `${kdd}nodeport_range = "30000-32767"\n`;
    const { unconverted } = convert(exposed(web).replace(kdd, narrow));
    expect(unconverted.map(({ value }) => value)).toEqual(['33010']);
    for (const { why } of unconverted)
      expect(why).toContain('outside the node port range 30000-32767');
  });
});
