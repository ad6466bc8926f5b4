import { systemd_service } from '../../src/modules/systemd_service.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(systemd_service, {
  settled: [
    {
      title: 'the service is running',
      args: { name: 'a', state: 'started' },
      facts: { 'systemd.unit a': { exists: true, active: true, enabled: true, masked: false } },
    },
  ],
});
