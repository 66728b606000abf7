import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KINDS } from '../support/cosign.ts';
import type { Kind } from '../support/cosign.ts';
import { copyImage, copySignatures } from './artefact-copies.ts';
import type { Place } from './artefact-copies.ts';
import { FORMATS, startSignatureLab } from './signature-lab.ts';
import type { Format, KeyFiles, SignatureLab } from './signature-lab.ts';

/*
 * Images signed by real cosign in a real registry: what we say of them, and what `cosign verify` of
 * the version that signed says. docs/signatures.md says why the two differ where they do.
 */

let lab: SignatureLab;

beforeAll(async () => {
  lab = await startSignatureLab();
});

afterAll(() => lab.stop());

/** One image signed with an annotation, an index signed without its children, keys of one kind. */
interface Scene {
  readonly id: string;
  readonly key: KeyFiles;
  readonly otherKey: KeyFiles;
  readonly signed: Place;
  readonly unsigned: Place;
  readonly index: Place;
  readonly child: Place;
}

const runs = FORMATS.flatMap((format) => KINDS.map((kind) => ({ format, kind })));

describe.each(runs)('$kind by $format.name', ({ format, kind }) => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await sign(format, kind);
  });

  /** cosign 3.1 does not find the hash with which it has signed itself. */
  const blind = format.cosign === '3.1' && ['P-384', 'P-521', 'Ed25519'].includes(kind);
  const nameOf = ({ repository, digest }: Place): string =>
    `${lab.hostOf(format)}/${repository}@${digest}`;
  const refusal = (got: string): string[] => [
    `expected a signature by ${scene.key.publicKey}, got ${got}`,
  ];
  const bad = (why: string): string[] => refusal(`none; 1 do not count: ${why}`);

  async function check(
    place: Place,
    { key = scene.key, entry = {}, cosign = [] as readonly string[] } = {},
  ): Promise<{ ours: readonly string[]; cosign: boolean }> {
    const image = nameOf(place);
    const ours = await lab.refusals(image, key, entry);
    return { ours, cosign: await lab.cosignAccepts(format, key, image, ...cosign) };
  }

  test('the right key: accepted', async () => {
    const annotated = { entry: { annotations: { env: 'prod' } }, cosign: ['-a', 'env=prod'] };
    expect(await check(scene.signed, annotated)).toEqual({ ours: [], cosign: !blind });
  });

  test('another key: refused', async () => {
    const { otherKey: key } = scene;
    const ours = [
      `expected a signature by ${key.publicKey}, got none; 1 do not count: by no trusted key`,
    ];
    expect(await check(scene.signed, { key })).toEqual({ ours, cosign: false });
  });

  test('no signature: refused', async () => {
    expect(await check(scene.unsigned)).toEqual({ ours: refusal('none'), cosign: false });
  });

  test('another annotation: refused', async () => {
    const annotated = { entry: { annotations: { env: 'test' } }, cosign: ['-a', 'env=test'] };
    const ours = bad('with another value of the annotation env');
    expect(await check(scene.signed, annotated)).toEqual({ ours, cosign: false });
  });

  test('a payload that was changed: refused', async () => {
    const to = await copyImage(lab.stateOf(format), scene.signed, `team/tampered-${scene.id}`);
    const change = format.bundle ? changeBundle : changePayload;
    await copySignatures(lab.stateOf(format), { from: scene.signed, to, change });
    const entry = { repositories: [repositoryOf(nameOf(scene.signed))] };
    const ours = bad('by no trusted key');
    expect(await check(to, { entry })).toEqual({ ours, cosign: false });
  });

  test('the signature of another image: refused', async () => {
    const to = { ...scene.unsigned, ...(await pushImage(`transplanted-${scene.id}`)) };
    await copySignatures(lab.stateOf(format), { from: scene.signed, to });
    const ours = bad('for another image');
    expect(await check(to)).toEqual({ ours, cosign: false });
  });

  test('a copy in another repository: refused where the signature says for which it was made', async () => {
    const to = await copyImage(lab.stateOf(format), scene.signed, `team/copied-${scene.id}`);
    await copySignatures(lab.stateOf(format), { from: scene.signed, to });
    const ours = format.bundle ? [] : bad('for another repository');
    expect(await check(to)).toEqual({ ours, cosign: !blind });
    const entry = { repositories: [repositoryOf(nameOf(scene.signed))] };
    expect(await lab.refusals(nameOf(to), scene.key, entry)).toEqual([]);
  });

  test('a signed index: accepted', async () => {
    expect(await check(scene.index)).toEqual({ ours: [], cosign: !blind });
  });

  test('a child of a signed index: refused', async () => {
    expect(await check(scene.child)).toEqual({ ours: refusal('none'), cosign: false });
  });
});

async function sign(format: Format, kind: Kind): Promise<Scene> {
  const id = `${FORMATS.indexOf(format)}-${kind.toLowerCase()}`;
  const key = await lab.newKey(kind, `own-${id}`);
  const otherKey = await lab.newKey(kind, `other-${id}`);
  const signed = await pushImage(`signed-${id}`);
  const unsigned = await pushImage(`unsigned-${id}`);
  const platforms = ['--platform', 'linux/amd64', '--platform', 'linux/arm64'];
  const content = ['--content', `index-${id}`];
  const [index, child] = (await lab.lab.image(...platforms, ...content, `team/index-${id}:v1`)).map(
    placeOf,
  );
  if (index === undefined || child === undefined) throw new Error('no index was pushed');
  const nameOf = ({ repository, digest }: Place): string =>
    `${lab.hostOf(format)}/${repository}@${digest}`;
  await lab.sign(format, key, nameOf(signed), '-a', 'env=prod');
  await lab.sign(format, key, nameOf(index));
  return { id, key, otherKey, signed, unsigned, index, child };
}

/** An image of its own. */
async function pushImage(name: string): Promise<Place> {
  const [image = ''] = await lab.lab.image('--content', name, 'team/app:v1');
  return placeOf(image);
}

/** Of `localhost:5000/team/app@sha256:...` */
function placeOf(image: string): Place {
  const [name = '', digest = ''] = image.split('@');
  return { repository: name.slice(name.indexOf('/') + 1), digest };
}

function repositoryOf(image: string): string {
  return image.slice(0, image.indexOf('@'));
}

function changePayload(payload: Buffer): Buffer {
  return Buffer.from(payload.toString().replace('"prod"', '"test"'));
}

function changeBundle(bytes: Buffer): Buffer {
  const bundle = JSON.parse(bytes.toString()) as { dsseEnvelope: { payload: string } };
  const payload = changePayload(Buffer.from(bundle.dsseEnvelope.payload, 'base64'));
  bundle.dsseEnvelope.payload = payload.toString('base64');
  return Buffer.from(JSON.stringify(bundle));
}
