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
