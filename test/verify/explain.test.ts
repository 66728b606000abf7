import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RegistryRequirement } from '../../src/rules/registry-requirement.ts';
import { Evidence } from '../../src/verify/evidence.ts';
import { explain } from '../../src/verify/explain.ts';
import type { ExplainedEntry } from '../../src/verify/explain.ts';
import type { ResolvedImage } from '../../src/verify/resolved-image.ts';
import {
  newSigningKey,
  pushBundle,
  pushTagged,
  signBundle,
  signTagged,
} from '../support/cosign.ts';
import { contextOf, newMemoryRegistry, pushImage } from '../support/memory-registry.ts';
import type { MemoryRegistry } from '../support/memory-registry.ts';
import { ISSUER, newSigstore, WHILE_VALID, WORKFLOW } from '../support/sigstore.ts';
import { identity, requireSignature, trustKeys } from '../support/trust.ts';

const REPOSITORY = 'registry.example.com/team/app';
const key = newSigningKey();
const sigstore = newSigstore();

let registry: MemoryRegistry;
let image: ResolvedImage;
let about: { repository: string; digest: string };

beforeEach(async () => {
  registry = newMemoryRegistry();
  image = await pushImage(registry, REPOSITORY);
  about = { repository: REPOSITORY, digest: image.digest };
});

const BY_KEY = requireSignature(trustKeys(key));

async function explainOne(entry = BY_KEY): Promise<ExplainedEntry | undefined> {
  const asked = { signatures: [entry], attestations: [] };
  return (await explain(image, asked, contextOf(registry))).signatures[0];
}

describe('an explanation', () => {
  it('is empty where nothing is asked for, and asks for nothing', async () => {
    const before = registry.requests.length;
    const nothing = { signatures: [], attestations: [] };
    expect(await explain(image, nothing, contextOf(registry))).toEqual(nothing);
    expect(registry.requests).toHaveLength(before);
  });

  it('tells what was listed by the API', async () => {
    const digest = signBundle(registry, { ...about, key });
    expect((await explainOne())?.findings).toEqual([
      {
        place: `${digest}, layer 1`,
        way: 'referrers API',
        form: 'bundle',
        signers: [{ id: key.trusted.id, name: 'cosign.pub' }],
        strangers: [],
        refusal: undefined,
      },
    ]);
  });

  it('goes on where the verdict has enough', async () => {
    signTagged(registry, { ...about, key }, { ...about, key: newSigningKey() });
    const refusals = (await explainOne())?.findings.map(({ refusal }) => refusal);
    expect(refusals).toEqual([undefined, 'by no trusted key']);
  });

  it('tells what cannot be read, and what could not be looked at', async () => {
    pushBundle(registry, about, {});
    const tag = pushTagged(registry, about, []);
    registry.fail(tag);
    expect(await explainOne()).toMatchObject({
      expected: 'a signature by cosign.pub',
      findings: [{ form: undefined, signers: [], refusal: 'not readable' }],
      failures: [`no ${tag}`],
    });
  });

  it.each([
    {
      who: 'of a trusted identity',
      odd: {},
      finding: { refusal: undefined, signers: [{ name: WORKFLOW, issuer: ISSUER }], strangers: [] },
    },
    {
      who: 'of another issuer',
      odd: { issuer: 'https://evil.example.com' },
      finding: {
        refusal: 'by no trusted identity',
        signers: [],
        strangers: [{ name: WORKFLOW, issuer: 'https://evil.example.com' }],
      },
    },
    {
      who: 'logged too early',
      odd: { loggedAt: WHILE_VALID },
      finding: {
        refusal: 'with a certificate of no trusted authority',
        signers: [],
        strangers: [],
      },
    },
  ])('names who signed without a key, $who', async ({ odd, finding }) => {
    pushBundle(registry, about, sigstore.bundle({ ...about, ...odd }));
    const { trustedRoot } = sigstore;
    const keyless = { trustedRoot, identities: [identity(WORKFLOW, ISSUER)] };
    const entry = requireSignature({ keys: [], certificates: undefined, keyless });
    expect(await explainOne(entry)).toMatchObject({ by: 'certificate', findings: [finding] });
  });
});

describe('the evidence', () => {
  const requirement: RegistryRequirement = {
    signatures: [BY_KEY],
    attestations: [],
    digestMatchesTag: false,
    maxAge: undefined,
    platforms: [],
    hash: 'a hash',
  };

  it('is of the image and the requirement that were verified', async () => {
    const evidence = new Evidence();
    evidence.add({ image, requirement, registry, from: 0 });
    expect((await evidence.explain(image, requirement))?.signatures).toHaveLength(1);
    const other = await pushImage(registry, REPOSITORY, 'another');
    expect(await evidence.explain(other, requirement)).toBeUndefined();
    expect(await evidence.explain(image, { ...requirement, hash: 'x' })).toBeUndefined();
  });

  it('is none where the registry contradicts itself', async () => {
    const evidence = new Evidence();
    evidence.add({ image, requirement, registry, from: 0 });
    registry.fail(`referrers of ${image.digest}`, 'registry-corrupt');
    expect(await evidence.explain(image, requirement)).toBeUndefined();
  });
});
