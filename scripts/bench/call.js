import process from 'node:process';
import { parseArgs } from 'node:util';

/** What a measurement was called with; `--help` prints a text, what is unknown ends it with 2. */
export function readCall(help, options = {}) {
  try {
    const all = { ...options, help: { type: 'boolean', short: 'h' } };
    const { values } = parseArgs({ options: all });
    if (!values.help) return values;
    console.log(help);
    process.exit(0);
  } catch (thrown) {
    console.error(`bench: error: ${thrown.message}\nbench: hint: --help tells what there is`);
    process.exit(2);
  }
}
