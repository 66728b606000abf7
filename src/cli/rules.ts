import type { Command } from 'commander';
import { imagePolicyJsonSchema } from '../rules/json-schema.ts';
import type { CommandContext } from './context.ts';
import { outputOption } from './options.ts';
import { json, Output } from './output.ts';
import { validateRules } from './rules-validate.ts';
import type { ValidateFlags } from './rules-validate.ts';

const HELP = `
Exit code 0 when it is good or done, 1 when \`validate\` finds a mistake, 2 when the file cannot be read.

Examples:
  image-checker rules validate rules.yaml
  image-checker rules schema > image-policy.schema.json
`;

const VALIDATE_HELP = `
Prints every mistake with file:line:column, the line and a hint, and warnings about what is valid
and can hardly be meant: rules that can never be met or violated, that contradict or repeat each
other, patterns that look like a registry, excuses for every registry. What is warned of is certain;
not everything is found, and in files of more than 300 rules the rules are not held against each other.

Exit code 0 when the file can be used, 1 when it has mistakes (with --strict: or warnings), 2 when it
cannot be read.

Examples:
  image-checker rules validate rules.yaml
  image-checker rules validate rules.yaml --strict -o json
`;

const SCHEMA_HELP = `
For editors: write it to a file and name that in the first line of the rules file.

Exit code 0 when it is written, 2 when the call is wrong.

Examples:
  image-checker rules schema > image-policy.schema.json
  sed -i '1i # yaml-language-server: $schema=image-policy.schema.json' rules.yaml
`;

export function addRulesCommand(program: Command, context: CommandContext): void {
  const rules = program
    .command('rules')
    .description('checks rules files, and describes them')
    .addHelpText('after', HELP);
  rules
    .command('validate')
    .description('tells every mistake in a rules file, with line and column')
    .argument('<file>', 'the rules file')
    .option('--strict', 'warnings count as mistakes')
    .addOption(outputOption(['text', 'json']))
    .addHelpText('after', VALIDATE_HELP)
    .action((file: string, flags: ValidateFlags) => validateRules(file, flags, context));
  rules
    .command('schema')
    .description('prints the JSON Schema (draft 2020-12) of a rules file')
    .addHelpText('after', SCHEMA_HELP)
    .action(async () => {
      await new Output(context.stdout).write(json(imagePolicyJsonSchema()));
    });
}
