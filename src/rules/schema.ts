import { z } from 'zod';
import { compileGlob } from '../parse/glob.ts';
import type { Glob } from '../parse/glob.ts';
import { isTagGlob, parseImagePattern } from '../parse/image-pattern.ts';
import type { ParsedPattern } from '../parse/registry-pattern.ts';
import { parseRegistryPattern } from '../parse/registry-pattern.ts';
import { isSent, SENT_INFIX } from '../parse/sent-annotations.ts';
import { attestationsSchema } from './attestations-schema.ts';
import { digestMatchesTagSchema, maxAgeSchema, platformsSchema } from './image-facts-schema.ts';
import { checkOnError, onErrorSchema } from './on-error-schema.ts';
import { refuse } from './refuse.ts';
import type { Refinement } from './refuse.ts';
import { signaturesSchema } from './signatures-schema.ts';
import { withSomeKey } from './some-key.ts';
import { compileTextPattern } from './text-pattern.ts';
import { uniqueNames } from './unique-names.ts';

/** Longest rule message: it has to fit into a reason of 1 KiB beside the image. */
const MAX_MESSAGE_LENGTH = 256;
/** RFC 1123. */
const LABEL_SOURCE = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DNS_LABEL = new RegExp(`^${LABEL_SOURCE}$`);
/** RFC 1123, as Kubernetes has it for most names: labels joined by dots. */
const DNS_SUBDOMAIN = new RegExp(`^(?=.{1,253}$)${LABEL_SOURCE}(?:\\.${LABEL_SOURCE})*$`);
const NAMESPACE_GLOB = /^[a-z0-9*](?:[a-z0-9*-]*[a-z0-9*])?$/;
/** What a Kubernetes annotation key may be behind its prefix. */
const ANNOTATION_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const CONTROL_CHARACTER = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

function pattern<T>(parse: (text: string) => ParsedPattern<T>) {
  return z.string().transform((text, context): T => {
    const parsed = parse(text);
    return parsed.ok ? parsed.pattern : refuse(context, parsed.error, parsed.hint);
  });
}

function glob(isPossible: (text: string) => boolean, what: string, hint: string) {
  return z.string().transform((text, context): Glob => {
    if (isPossible(text)) return compileGlob(text);
    return refuse(context, `no ${what} matches ${JSON.stringify(text)}`, hint);
  });
}

/** A list that means nothing when empty. */
function atLeastOne<T extends z.ZodType>(item: T) {
  return z.array(item).min(1);
}

const label = z.string().regex(DNS_LABEL, {
  message: 'a DNS label (lower-case letters, digits and "-", at most 63 characters)',
});
const subdomain = z.string().regex(DNS_SUBDOMAIN, {
  message: 'a DNS subdomain (DNS labels joined by dots, at most 253 characters)',
});
const namespaces = atLeastOne(
  glob(
    (text) => NAMESPACE_GLOB.test(text) && text.replaceAll('*', '').length <= 63,
    'namespace',
    'a namespace holds lower-case letters, digits and "-"; * stands for any run of them',
  ),
).describe('Namespaces; `*` stands for any run of characters.');
const images = atLeastOne(pattern(parseImagePattern)).describe(
  'Patterns over the normalised reference, such as `docker.io/library/nginx` or `registry.example.com/team-*/**`.',
);
const registries = atLeastOne(pattern(parseRegistryPattern)).describe(
  'Registries: `host`, `host:port` or `*.suffix`.',
);
const tags = atLeastOne(
  glob(isTagGlob, 'tag', 'a tag holds letters, digits, "_", "." and "-"; * stands for any run'),
).describe('Tags; `*` stands for any run of characters. An implied `latest` counts.');

const selector = withSomeKey({
  namespaces: namespaces.optional(),
  images: images.optional(),
});

const requirement = withSomeKey({
  registries: registries.optional(),
  images: images.optional(),
  tags: tags.optional(),
  digest: z.literal(true).optional().describe('The reference carries a digest.'),
  explicitRegistry: z
    .literal(true)
    .optional()
    .describe('The reference as written names its registry.'),
  signatures: signaturesSchema.optional(),
  attestations: attestationsSchema.optional(),
  digestMatchesTag: digestMatchesTagSchema.optional(),
  maxAge: maxAgeSchema.optional(),
  platforms: platformsSchema.optional(),
}).describe('Every key given must hold.');

const prohibition = withSomeKey({
  registries: registries.optional(),
  images: images.optional(),
  tags: tags.optional(),
}).describe('No key given may hit.');

const rule = z
  .strictObject({
    name: label.describe('Unique; it is in every reason, log line and metric.'),
    description: z.string().optional().describe('What the rule is for; read by people alone.'),
    mode: z
      .enum(['enforce', 'warn', 'audit'])
      .default('enforce')
      .describe('enforce denies; warn allows and says so; audit allows and logs alone.'),
    onError: onErrorSchema,
    match: selector.optional().describe('What the rule covers; absent: every image everywhere.'),
    except: atLeastOne(selector)
      .optional()
      .describe('What any entry takes is exempt from this rule.'),
    require: requirement.optional(),
    forbid: prohibition.optional(),
    message: z
      .string()
      .min(1)
      .max(MAX_MESSAGE_LENGTH)
      .refine((text) => !CONTROL_CHARACTER.test(text), { message: 'expected one line of text' })
      .optional()
      .describe('Added to the reason of a denial.'),
  })
  .check(
    z.refine((value) => value.match ?? value.require ?? value.forbid, {
      message:
        'expected at least one of match, require, forbid: this rule covers every image and asks nothing',
      params: { hint: 'to allow everything write `unmatchedImages: allow`' },
    }),
  )
  .superRefine(checkOnError);

const breakGlass = z.strictObject({
  annotation: z
    .string()
    .superRefine(checkAnnotation)
    .describe('Key of the pod annotation; it has to hold `.image-policy.k8s.io/`.'),
  ticket: z
    .string()
    .min(1)
    .transform(compileTextPattern)
    .optional()
    .describe('RE2 syntax, anchored at both ends; absent: any non-empty value.'),
  namespaces: namespaces.optional(),
});

function checkAnnotation(key: string, context: Refinement): void {
  const hint = `write something like image-checker${SENT_INFIX}break-glass`;
  const slash = key.indexOf('/');
  if (!isSent(key)) {
    const message = `kube-apiserver sends no annotation whose key lacks ${SENT_INFIX}`;
    refuse(context, message, hint);
  } else if (
    !DNS_SUBDOMAIN.test(key.slice(0, slash)) ||
    !ANNOTATION_NAME.test(key.slice(slash + 1))
  ) {
    refuse(context, 'expected a valid annotation key', hint);
  }
}

const spec = z.strictObject({
  unmatchedImages: z
    .enum(['deny', 'allow'])
    .default('deny')
    .describe('What becomes of an image that no rule covers.'),
  emptyReviews: z
    .enum(['deny', 'allow'])
    .default('deny')
    .describe('What becomes of a review without containers.'),
  breakGlass: breakGlass
    .optional()
    .describe('The emergency override by annotation; absent: there is none.'),
  rules: z
    .array(rule)
    .check(uniqueNames('rule'))
    .describe('Each is asked of every image that it covers; their order means nothing.'),
});

/** The rules file, format `image-checker/v1` `ImagePolicy`; patterns come out compiled. */
export const imagePolicySchema = z.strictObject({
  apiVersion: z.literal('image-checker/v1').describe('Format of the file, with its version.'),
  kind: z.literal('ImagePolicy').describe('What the file holds.'),
  metadata: z
    .strictObject({
      name: subdomain.describe('Stands in answers and log lines, before the hash of the file.'),
    })
    .describe('What the policy is called.'),
  spec: spec.describe('What is asked of the images of a pod, and what becomes of all others.'),
});

export type ImagePolicy = z.output<typeof imagePolicySchema>;
export type RuleSpec = ImagePolicy['spec']['rules'][number];
export type SelectorSpec = NonNullable<RuleSpec['match']>;
