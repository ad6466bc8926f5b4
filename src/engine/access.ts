import { TaskError } from '../core/errors.ts';
import type { HostAddress } from '../core/host.ts';
import type { Text } from '../core/value.ts';
import type { Become, Limit } from '../language/document.ts';
import type { Scope } from '../template/scope.ts';

/**
 * Renders the connection and become settings of a task for one host. Inventory values take
 * precedence over keywords. The journal records the result.
 *
 * @throws TaskError when a rendered value is not a valid user name or port
 */
export function renderAccess(wanted: Become<Text>, address: HostAddress, scope: Scope): Become {
  const { login, ...become } = wanted;
  const own: Become['login'] = {
    ...(login?.transport === undefined || address.transportGiven || address.transport !== 'ssh'
      ? {}
      : { transport: login.transport }),
    ...(login?.user === undefined || hasOwnUser(address)
      ? {}
      : { user: userName('remote_user', login.user, scope) }),
    ...(login?.port === undefined || address.port !== undefined
      ? {}
      : { port: portNumber(login.port, scope) }),
  };
  // As in Ansible, inventory variables take precedence over keywords.
  const { enabled = become.enabled, method = become.method, user } = address.become ?? {};
  return {
    enabled,
    user: userName('become_user', user ?? become.user, scope),
    method,
    ...(Object.keys(own).length === 0 ? {} : { login: own }),
  };
}

function hasOwnUser({ user, userByFlag, userByDefault }: HostAddress): boolean {
  return user !== undefined && userByFlag !== true && userByDefault !== true;
}

/** Whether nothing in the settings depends on the host. */
export function isRendered(become: Become<Text>, address?: HostAddress): become is Become {
  return (
    become.login === undefined && typeof become.user === 'string' && address?.become === undefined
  );
}

/** The settings as written, with unrendered templates, for a host that is not in the inventory. */
export function unrendered({ user, login, ...become }: Become<Text>): Become {
  const { transport, user: loginUser, port } = login ?? {};
  return {
    ...become,
    user: String(user),
    login: login && {
      ...(transport === undefined ? {} : { transport }),
      ...(loginUser === undefined ? {} : { user: String(loginUser) }),
      ...(typeof port === 'number' ? { port } : {}),
    },
  };
}

/** The address of a host with the login settings from `renderAccess`. */
export function addressWith(address: HostAddress, { login }: Become): HostAddress {
  if (!login) return address;
  const { transport = address.transport, user = address.user } = login;
  return {
    ...address,
    transport,
    user,
    port: login.port ?? address.port,
  };
}

function userName(key: string, text: Text, scope: Scope): string {
  const name = String(scope.render(text));
  if (/^[^\s-][^\s]*$/.test(name)) return name;
  throw new TaskError(`"${key}" is "${name}", which is not a valid user name.`);
}

function portNumber(value: Limit, scope: Scope): number {
  const port = Number(typeof value === 'number' ? value : scope.render(value));
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new TaskError(`"port" must be a number from 1 to 65535, not ${JSON.stringify(value)}.`);
}
