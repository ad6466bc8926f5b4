import { describe, expect, it } from 'vitest';
import type { HostAddress } from '../../src/core/host.ts';
import { Template, type Text } from '../../src/core/value.ts';
import { addressWith, isRendered, renderAccess, unrendered } from '../../src/engine/access.ts';
import type { Become } from '../../src/language/document.ts';
import { Scope } from '../../src/template/scope.ts';
import { hostOf, noBecome } from '../helpers/tasks.ts';

const scope = new Scope([{ name: 'play', values: { who: 'app', there: 2222 } }]);
const login = { transport: 'openssh', user: 'ada', port: 2200 } as const;
const resolve = (wanted: Partial<Become<Text>>, address: Partial<HostAddress> = {}): Become =>
  renderAccess({ ...noBecome, ...wanted }, hostOf('h1', address).address, scope);

describe('connection and become settings of a task', () => {
  it('come from the task if the inventory does not set them', () => {
    expect(resolve({ login }).login).toEqual(login);
    expect(resolve({})).toEqual(noBecome);
  });

  it.each([
    ['the user', { user: 'root' }, { transport: 'openssh', port: 2200 }],
    ['the port', { port: 22 }, { transport: 'openssh', user: 'ada' }],
    ['the transport', { transportGiven: true }, { user: 'ada', port: 2200 }],
    ['a transport other than SSH', { transport: 'local' }, { user: 'ada', port: 2200 }],
    ['not a user from --user, which the task overrides', { user: 'root', userByFlag: true }, login],
  ] as [string, Partial<HostAddress>, Become['login']][])(
    'keep inventory values: %s',
    (_, address, left) => {
      expect(resolve({ login }, address).login).toEqual(left);
    },
  );

  it('use the become variables of the inventory instead of the keywords', () => {
    const become = { enabled: true, user: 'app', method: 'doas' } as const;
    expect(resolve({}, { become })).toEqual(become);
    const off: Partial<HostAddress> = { become: { enabled: false } };
    expect(resolve({ enabled: true, user: 'db' }, off)).toMatchObject({
      ...{ enabled: false, user: 'db' },
    });
    expect(isRendered(noBecome, hostOf('h1', off).address)).toBe(false);
  });

  it('override the default user of a hosts file format', () => {
    const byDefault: Partial<HostAddress> = { user: 'root', userByDefault: true };
    expect(resolve({ login }, byDefault).login?.user).toBe('ada');
  });

  it('are rendered', () => {
    const { user, login: found } = resolve({
      user: new Template('{{who}}'),
      login: { user: new Template('{{who}}2'), port: new Template('{{there}}') },
    });
    expect({ user, found }).toEqual({ user: 'app', found: { user: 'app2', port: 2222 } });
  });

  it.each(['', '-i', 'a b', 'a\nb'])('reject the user name "%s"', (user) => {
    expect(() => resolve({ user })).toThrow('"become_user" is');
    expect(() => resolve({ login: { user } })).toThrow('"remote_user" is');
  });

  it.each([0, 65536, 22.5, 'ssh'])('reject the port %j', (port) => {
    const text = typeof port === 'string' ? new Template(port) : port;
    expect(() => resolve({ login: { port: text } })).toThrow(
      '"port" must be a number from 1 to 65535',
    );
  });

  it('do not depend on the host if there is no login and no template', () => {
    expect(isRendered(noBecome)).toBe(true);
    expect(isRendered({ ...noBecome, login: { port: 22 } })).toBe(false);
    expect(isRendered({ ...noBecome, user: new Template('{{who}}') })).toBe(false);
  });

  it('stay unrendered for a host that is not in the inventory, without a port from a template', () => {
    const user = new Template('{{who}}');
    expect(unrendered({ ...noBecome, user, login: { user, port: user } })).toEqual({
      ...{ ...noBecome, user: '{{who}}', login: { user: '{{who}}' } },
    });
  });

  it('override single fields of the address', () => {
    const { address } = hostOf('h1', { user: 'root', port: 22 });
    expect(addressWith(address, noBecome)).toBe(address);
    expect(addressWith(address, { ...noBecome, login: { user: 'ada' } })).toEqual({
      ...{ ...address, user: 'ada' },
    });
    expect(addressWith(address, { ...noBecome, login })).toMatchObject({ ...login, address: 'h1' });
  });
});
