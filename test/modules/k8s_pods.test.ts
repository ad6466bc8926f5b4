import { k8s_pods } from '../../src/modules/k8s_pods.ts';
import { testModule } from '../helpers/module-tester.ts';

const kubectl = '["kubectl"]';

testModule(k8s_pods, {
  settled: [
    {
      title: 'returns pods and their ports as targets',
      args: { namespace: 'kube-system', selector: 'app=x' },
      facts: {
        [`kubernetes.pod_addresses ${kubectl} kube-system app=x`]: [
          { name: 'a', node: 'n1', address: '10.1.0.5', ports: [53, 8080] },
          { name: 'b', node: 'n2', address: 'fd00::5', ports: [53] },
        ],
      },
      result: {
        pods: [
          { name: 'a', node: 'n1', address: '10.1.0.5', ports: [53, 8080] },
          { name: 'b', node: 'n2', address: 'fd00::5', ports: [53] },
        ],
        targets: ['10.1.0.5:53', '10.1.0.5:8080', '[fd00::5]:53'],
      },
    },
  ],
  refused: [{ title: 'an option as a namespace', args: { namespace: '--all' }, code: 'SCHEMA' }],
});
