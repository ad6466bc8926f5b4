import { describe, expect, it } from 'vitest';
import { serviceList } from '../../src/facts/systemd.ts';

describe('the list of services', () => {
  it('joins installed and loaded units', () => {
    const stdout = `a.service enabled enabled
b.service disabled enabled
::
a.service loaded active running A
c.service loaded failed failed C
d.service not-found inactive dead d.service
e.service loaded active exited E
`;
    const found = serviceList.parse({ code: 0, stdout, stderr: '' });
    expect(
      Object.values(found).map(({ name, state, status }) => `${name} ${state} ${status}`),
    ).toEqual([
      'a.service running enabled',
      'b.service stopped disabled',
      'c.service failed static',
      'd.service stopped not-found',
      'e.service stopped static',
    ]);
  });
});
