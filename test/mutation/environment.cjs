const process = require('node:process');
const { TestEnvironment } = require('jest-environment-node');

/** The mutant that a test has noticed; the next one has another number. */
let noticed;

/**
 * Ends the run of a mutant with the first test that notices it. Jest would run all the others, and
 * a mutant that breaks the parser breaks a thousand: each with a difference to print.
 *
 * Not an ES module, because Stryker loads it by `require`.
 */
class MutationEnvironment extends TestEnvironment {
  handleTestEvent(event) {
    const mutant = process.env.__STRYKER_ACTIVE_MUTANT__;
    if (mutant === undefined) return;
    if (event.name === 'test_fn_failure' || event.name === 'hook_failure') noticed = mutant;
    if (event.name === 'test_start' && noticed === mutant) event.test.mode = 'skip';
  }
}

module.exports = MutationEnvironment;
