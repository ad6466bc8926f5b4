import { package_facts } from '../../src/modules/package_facts.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(package_facts, {
  settled: [
    {
      title: 'lists the packages',
      args: {},
      facts: { 'packages.all': { jq: [{ version: '1.6' }] } },
      result: { packages: { jq: [{ version: '1.6' }] } },
    },
  ],
});
