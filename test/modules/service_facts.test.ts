import { service_facts } from '../../src/modules/service_facts.ts';
import { testModule } from '../helpers/module-tester.ts';

const running = { name: 'a.service', state: 'running', status: 'enabled', source: 'systemd' };

testModule(service_facts, {
  settled: [
    {
      title: 'lists the services',
      args: {},
      facts: { 'systemd.services': { 'a.service': running } },
      result: { services: { 'a.service': running } },
    },
  ],
});
