import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const INSTALL = join(import.meta.dirname, '../../scripts/lab/install.sh');

/** Before the first test, which has no minutes for a build; it tells on stderr how far it is. */
export default function installLab() {
  const { status } = spawnSync(INSTALL, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('expected kube-apiserver, etcd and kubectl for the lab');
}
