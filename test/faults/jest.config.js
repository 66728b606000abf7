import { shared } from '../../jest.config.js';

export default {
  ...shared,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/faults/**/*.test.ts'],
  // Each has the machine to itself, or it would measure the others.
  maxWorkers: 1,
  testTimeout: 180_000,
};
