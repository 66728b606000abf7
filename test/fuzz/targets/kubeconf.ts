import assert from 'node:assert/strict';
import { inspectKubeconf } from '../../../src/kubeconf/inspect.ts';
import { readKubeconf } from '../../../src/kubeconf/read-kubeconf.ts';
import { expectProblems, readOrRefuse, textOf } from '../text.ts';

const FILE = '/etc/kubernetes/admission/kubeconf';

/** A text is a kubeconfig with a server to go to, or there is something to say against it. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  const { issues, kubeconf } = inspectKubeconf({ file: FILE, text });
  expectProblems(issues.map(({ problem }) => problem));
  const read = readOrRefuse('kubeconfig-invalid', () => readKubeconf(text, FILE));
  assert.equal(
    read === undefined,
    issues.some(({ harmless }) => !harmless),
  );
  if (read === undefined) return;
  assert.deepEqual(read, kubeconf);
  assert.match(read.server.protocol, /^https?:$/);
}
