import { isIP } from 'node:net';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { addressAnswers } from '../facts/network.ts';

const schema = {
  type: 'object',
  properties: {
    address: {
      type: 'string',
      description:
        'Address chosen by the operator. The task fails if it is not an address of the host.',
    },
    interface: {
      type: 'string',
      pattern: '^[^/ ]{0,15}$',
      description: 'Interface whose first address is used. Cannot be combined with address.',
    },
    candidates: {
      type: 'array',
      items: { type: 'string' },
      description:
        'Without address and interface: the first of these that is an address of the host is used.',
    },
    route_to: {
      type: 'string',
      description:
        'Without any of the above: the source address of the route to this address is used.',
    },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

export const node_address: Module<FromSchema<typeof schema>> = {
  name: 'node_address',
  summary: 'Find the address by which the other nodes of a cluster reach this host.',
  args: schema,
  effect: 'reads',

  async plan(
    { address = '', interface: device = '', candidates = [], route_to: to = '' },
    { host },
  ) {
    if (address !== '' && device !== '')
      throw new TaskError('"address" and "interface" cannot be combined.');
    const asked = (address === '' ? candidates : [address]).filter((one) => one !== '');
    for (const one of address === '' ? [] : [address])
      if (isIP(one) === 0) throw new TaskError(`"${one}" is not an IP address.`);
    const known = asked.filter((one) => isIP(one) !== 0);
    const answers = await host.fact(addressAnswers, device, isIP(to) === 0 ? '' : to, ...known);
    const found = (chosen: string, source: string) => ({
      actions: [],
      result: { address: chosen, source },
    });
    if (address !== '') {
      if (answers.own.has(address)) return found(address, 'address');
      throw new TaskError(`${address} is not an address of this host.`, {
        hint: `Run "ip addr" on "${host.name}" to see its addresses.`,
      });
    }
    if (device !== '') {
      if (answers.ofInterface !== undefined) return found(answers.ofInterface, 'interface');
      throw new TaskError(`The interface "${device}" does not exist or has no address.`, {
        hint: `Run "ip addr" on "${host.name}" to see its interfaces.`,
      });
    }
    const own = asked.find((one) => answers.own.has(one));
    if (own !== undefined) return found(own, 'candidate');
    if (answers.towards !== undefined) return found(answers.towards, 'route');
    const tried =
      asked.length === 0
        ? 'there are no candidates'
        : `${asked.join(', ')} ${asked.length === 1 ? 'is' : 'are'} not on this host`;
    throw new TaskError(
      `Cannot determine the address of this host in the cluster: ${tried}, and there is no route to ${to || 'another node'}.`,
      { hint: 'Set "privateAddress" or "privateInterface" of the host in the inventory.' },
    );
  },
};
