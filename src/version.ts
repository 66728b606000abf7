/** Of package.json, which an executable of one file does not carry along; a test holds them equal. */
export const VERSION = '0.1.0';
