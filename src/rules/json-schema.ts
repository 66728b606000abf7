import { z } from 'zod';
import { imagePolicySchema } from './schema.ts';

/** Names the format and nowhere to fetch it from: an editor is given the file. */
const SCHEMA_ID = 'urn:image-checker:v1:ImagePolicy';

/** The rules file as JSON Schema, draft 2020-12, for editors; what it cannot say, `load` checks. */
export function imagePolicyJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(imagePolicySchema, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ jsonSchema, path }) => {
      if (isAllOptional(jsonSchema)) jsonSchema.minProperties = 1;
      if (isRule(path)) jsonSchema.anyOf = NOT_IDLE.map((key) => ({ required: [key] }));
    },
  });
  return {
    $schema,
    $id: SCHEMA_ID,
    title: 'image-checker ImagePolicy',
    description: 'Which images may run on a Kubernetes cluster.',
    ...schema,
  };
}

/** Mappings without a required key are those in which some key has to be given. */
function isAllOptional({ type, required }: z.core.JSONSchema.BaseSchema): boolean {
  return type === 'object' && required === undefined;
}

/** Keys of which a rule has to have one. */
const NOT_IDLE = ['match', 'require', 'forbid'];

function isRule(path: readonly (string | number)[]): boolean {
  return path.at(-1) === 'items' && path.at(-2) === 'rules';
}
