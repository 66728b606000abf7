import { z } from 'zod';
import { readDisk } from './disk.ts';
import type { Facts } from './facts.ts';
import type { Findings } from './finding.ts';

/** What `doctor -o json` writes, as far as it is compared. */
const reportSchema = z.object({
  version: z.literal(1),
  node: z.string(),
  facts: z.record(z.string(), z.string()),
});

/** This node, held against what the doctor wrote on another one. */
export async function compareNodes(
  file: string,
  here: { readonly node: string; readonly facts: Facts },
  findings: Findings,
): Promise<void> {
  const read = await readDisk(file);
  if ('problem' in read) {
    findings.fail('nodes-comparable', read.problem);
    return;
  }
  const report = reportSchema.safeParse(parseJson(read.text));
  if (!report.success) {
    const message = 'expected what `image-checker doctor -o json` writes, got something else';
    findings.fail('nodes-comparable', { file, message, hint: 'write it anew on the other node' });
    return;
  }
  const { node, facts } = report.data;
  if (node === here.node) {
    const message = `expected the report of another node, got one of ${node}, which is this one`;
    findings.warn('nodes-comparable', { file, message });
  } else findings.ok('nodes-comparable', `is of ${node}`, file);
  compareFacts(here.facts, { node, facts, file }, findings);
}

function compareFacts(
  here: Facts,
  there: { readonly node: string; readonly facts: Facts; readonly file: string },
  findings: Findings,
): void {
  const { node, file } = there;
  const names = new Set([...Object.keys(here), ...Object.keys(there.facts)]);
  for (const name of names) {
    const [ours, theirs] = [here[name] ?? 'nothing', there.facts[name] ?? 'nothing'];
    if (ours === theirs) continue;
    const message = `${name}: expected the same on every node, got ${ours} here and ${theirs} on ${node}`;
    const hint = 'a pod is held against the rules of the node whose kube-apiserver takes it';
    findings.warn('nodes-differ', { file, message, hint });
  }
  findings.okUnlessFound('nodes-differ', `${names.size} things are as on ${node}`, file);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
