import { setup } from '../../src/modules/setup.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(setup, {
  settled: [
    {
      title: 'gathers facts',
      args: {},
      facts: { 'host.facts': { hostname: 'h' } },
      result: { ansible_facts: { hostname: 'h' } },
    },
  ],
});
