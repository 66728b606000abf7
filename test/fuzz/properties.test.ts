import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { FIXTURES, fixture } from '../manifest/fixtures.ts';
import { mutated } from './mutations.ts';
import { corpusOf, TARGETS } from './targets.ts';
import type { TargetName } from './targets.ts';

/** What a target is given, beside its corpus. */
function textsOf(name: TargetName): Buffer[] {
  const more = name === 'manifest' ? FIXTURES.map((file) => Buffer.from(fixture(file))) : [];
  return [...corpusOf(name).map(({ data }) => data), ...more];
}

describe('however its input is changed,', () => {
  it.each([
    ['an image string is read as the Go library reads it', 'reference', 4_000],
    ['a pattern takes what the design says it takes', 'pattern', 4_000],
    ['a review is refused, or decided as the design decides it', 'review', 2_000],
    ['a policy is refused, or decides as it is written', 'policy', 1_000],
    ['a rules file is refused with a place, or decides as it is written', 'rules', 400],
    ['what lies beside an image is read or not, and speaks for no other', 'artefact', 1_000],
    ['a config of the service is refused with a place, or bounded', 'config', 300],
    ['a kubeconfig is refused with a place, or names a server', 'kubeconf', 300],
    ['a manifest is refused, or edited so that it can be restored', 'manifest', 150],
    [
      'an admission configuration is refused, or merged so that it can be restored',
      'admission',
      300,
    ],
    ["a docker config is refused, or gives its host's secret", 'docker-config', 2_000],
    ['a challenge is read as the grammar says, and gives no secret away', 'challenge', 4_000],
    ["a token service's answer is a token that can be sent, or a failure", 'token', 2_000],
    ['a text is base64 or not', 'base64', 2_000],
    ['a public key is a strong one, or refused', 'public-key', 500],
    ['a time is one of the calendar, or none', 'time', 4_000],
    ['what a digest stands for is read as every node reads it', 'image-manifest', 2_000],
    ['a bundle is read as the library reads it', 'bundle', 1_000],
    ['a statement is about the images that it names', 'statement', 2_000],
    ['a predicate does what is asked of it, or does not', 'predicate', 2_000],
    ['an expression is met when it is true', 'cel', 300],
    ['a layer counts when somebody trusted signed it', 'signature', 200],
  ] as const)('%s', async (_title, name, numRuns) => {
    await expectFor(mutated(textsOf(name)), name, numRuns);
  });

  it.each([
    ['a review', 'review', 2_000],
    ['a policy', 'policy', 2_000],
    ['what lies beside an image', 'artefact', 2_000],
    ['a kubeconfig', 'kubeconf', 300],
    ['an admission configuration', 'admission', 300],
    ['a docker config', 'docker-config', 1_000],
    ["a token service's answer", 'token', 1_000],
    ['what a digest stands for', 'image-manifest', 1_000],
    ['a bundle', 'bundle', 500],
    ['a statement', 'statement', 1_000],
    ['a predicate', 'predicate', 1_000],
  ] as const)('%s of any JSON is refused or read', async (_title, name, numRuns) => {
    const documents = textsOf(name).flatMap(asJson);
    const replaced = fc
      .tuple(fc.constantFrom(...documents), fc.nat(), fc.jsonValue())
      .map(([document, at, value]) => Buffer.from(replaceOne(document, at, value)));
    await expectFor(replaced, name, numRuns);
  });
});

function expectFor(inputs: fc.Arbitrary<Buffer>, name: TargetName, numRuns: number): Promise<void> {
  const property = fc.asyncProperty(inputs, async (data) => {
    await TARGETS[name](data);
  });
  return fc.assert(property, { numRuns });
}

function asJson(data: Buffer): unknown[] {
  try {
    return [JSON.parse(data.toString())];
  } catch {
    return [];
  }
}

/** The document as JSON with one of its values, counted through, replaced. */
function replaceOne(document: unknown, at: number, value: unknown): string {
  const replace = (which: number): [text: string, count: number] => {
    let count = 0;
    const text = JSON.stringify(document, (_key, each: unknown) => {
      return count++ === which ? value : each;
    });
    return [text, count];
  };
  const [, count] = replace(-1);
  return replace(at % count)[0];
}
