/**
 * `npm run test:mutation`: every operator, condition and literal of a folder of `src` is changed,
 * one at a time, and the tests of that folder have to notice.
 *
 * @param {string} folder
 * @param {readonly string[]} tooSlow its tests that are left out: seconds for each of a thousand
 *   mutants, and what they would notice the tables have to notice without them
 */
export function mutationsOf(folder, tooSlow) {
  const report = `coverage/mutation/${folder}`;
  return {
    mutate: [`src/${folder}/**/*.ts`],
    testRunner: 'jest',
    jest: {
      configFile: 'jest.config.js',
      config: {
        testMatch: [`<rootDir>/test/${folder}/*.test.ts`],
        testPathIgnorePatterns: tooSlow.map((file) => `<rootDir>/test/${folder}/${file}`),
        testEnvironment: './test/mutation/environment.cjs',
        setupFiles: ['<rootDir>/test/mutation/properties.js'],
      },
    },
    testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
    coverageAnalysis: 'perTest',
    concurrency: 2,
    reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
    htmlReporter: { fileName: `${report}.html` },
    jsonReporter: { fileName: `${report}.json` },
    clearTextReporter: { reportTests: false, allowEmojis: false },
    tempDirName: `.stryker-tmp/${folder}`,
    // No test of these folders reads them.
    ignorePatterns: ['dist', '.local', 'coverage', 'docs', 'scripts', 'admission'],
    thresholds: { high: 95, low: 90, break: 90 },
  };
}
