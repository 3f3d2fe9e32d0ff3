// Stands in the bundle for string-width, which cli-table3 asks: its first text beyond ASCII compiles a regular expression of all emoji, 5 ms.
const width = require('./fast-string-width.cjs');
const oneColumnEach = /^[\x20-\x7e\u2026\u2500-\u257f]*$/;
module.exports = (text) => (oneColumnEach.test(text) ? text.length : width(text));
