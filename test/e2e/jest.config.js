import { shared } from '../../jest.config.js';

export default {
  ...shared,
  rootDir: '../..',
  globalSetup: '<rootDir>/test/e2e/install-lab.js',
  testMatch: ['<rootDir>/test/e2e/**/*.test.ts'],
  // One kube-apiserver at a time.
  maxWorkers: 1,
  // A restart of the kube-apiserver takes seconds, the patience of the plugin half a minute.
  testTimeout: 120_000,
};
